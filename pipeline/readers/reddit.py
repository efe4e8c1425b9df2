"""Reddit dumps: JSON lines of posts (RS_…) and comments (RC_…), usually in zstd with a window of up to 2 GB."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped
from pipeline.readers.jsonl import read_jsonl

_GONE = ("", "[deleted]", "[removed]", "[ Removed by Reddit ]")
_KEPT = ("subreddit", "author", "score", "created_utc", "num_comments", "over_18", "url", "permalink")


def read_reddit(shard: Shard) -> Iterator[Item]:
    """Yield a record for every post (title and body) and comment (body) that was not deleted.

    `id` is Reddit's full name (`t3_…` of a post, `t1_…` of a comment) and `group` that of the post, so a thread stays
    together. `kind` (`post`, `comment`), `parent` of a comment, and as they are `subreddit`, `author`, `score`,
    `created_utc`, `num_comments`, `over_18`, `url`, `permalink`.
    """
    for item in read_jsonl(shard):
        yield _entry(item) if isinstance(item, Record) else item


def _entry(raw: Record) -> Item:
    name = raw.get("id")
    is_comment = "body" in raw
    if not isinstance(name, str) or not (is_comment or "title" in raw):
        return BadRecord(raw.row, "neither a post nor a comment", raw.byte)
    body = _text(raw.get("body" if is_comment else "selftext"))
    values: dict[str, Any] = {key: raw[key] for key in _KEPT if key in raw}
    if is_comment:
        if body in _GONE:
            return Skipped(raw.row, "deleted")
        thread = str(raw.get("link_id") or f"t1_{name}")
        values |= {"id": f"t1_{name}", "text": body, "group": thread, "kind": "comment", "parent": raw.get("parent_id")}
        return Record(values, raw.row, raw.byte)
    title = _text(raw.get("title"))
    if body in _GONE[1:] or title in _GONE:
        return Skipped(raw.row, "deleted")
    text = f"{title}\n\n{body}" if body else title
    values |= {"id": f"t3_{name}", "text": text, "group": f"t3_{name}", "kind": "post"}
    return Record(values, raw.row, raw.byte)


def _text(value: Any) -> str:
    """Return a text without Reddit's escapes (`&gt;` and the like)."""
    return html.unescape(value).strip() if isinstance(value, str) else ""
