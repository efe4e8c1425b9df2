"""StackExchange dumps: Posts.xml, one `<row …/>` a line, questions and answers of a site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped, too_long
from pipeline.readers.html_safe import BadHtml
from pipeline.readers.html_text import html_to_text
from pipeline.readers.jsonl import shard_lines
from pipeline.readers.xml_safe import BadXml, parse

POST_TYPES = {
    "1": "question",
    "2": "answer",
    "3": "wiki",
    "4": "tag_excerpt",
    "5": "tag_wiki",
    "6": "election",
    "7": "wiki_placeholder",
    "8": "privilege_wiki",
}
"""PostTypeId as stackexchange.com documents it."""

_LICENSES = (("2011-04-08", "CC-BY-SA-2.5"), ("2018-05-02", "CC-BY-SA-3.0"))
"""Posts written before a day (UTC) and their licence, as stackoverflow.com/help/licensing states; later ones 4.0."""


def read_posts(shard: Shard) -> Iterator[Item]:
    """Yield a record for every post: a question is its title and body, an answer its body.

    `id`, `text`, `group` (the question's id), `license` (SPDX), `post_type`, `score`, `tags` (separated by spaces),
    `title`, `created`; where the dump has them `parent` (an answer's question), `accepted_answer`, `views`, `answers`,
    `comments`. Posts without text are skipped.
    """
    for line, byte in shard_lines(shard):
        data = line.data.strip() if line.data is not None else None
        if data is None:
            yield too_long(line.row, line.size, shard.limit, byte)
        elif data and not data.startswith((b"<?xml", b"<posts>", b"</posts>")):
            yield _post(data, line.row, byte)


def _post(data: bytes, row: int, byte: int | None) -> Item:
    try:
        post = parse(data)
    except BadXml as error:
        return BadRecord(row, f"not XML: {error}", byte)
    if post.name != "row":
        return BadRecord(row, f"not a post: <{post.name}>", byte)
    values = post.attributes
    name, kind = values.get("Id"), values.get("PostTypeId", "")
    if name is None:
        return BadRecord(row, "not a post: it has no Id", byte)
    try:
        body = html_to_text(values.get("Body", ""))
    except BadHtml as error:
        return BadRecord(row, f"not HTML: {error}", byte)
    if not body:
        return Skipped(row, "post without text")
    title = values.get("Title", "").strip()
    record = {
        "id": name,
        "text": f"{title}\n\n{body}" if title and kind == "1" else body,
        "group": values.get("ParentId", name),
        "license": license_of(values),
        "post_type": POST_TYPES.get(kind, kind),
        "title": title or None,
        "tags": " ".join(values.get("Tags", "").replace("<", " ").replace(">", " ").replace("|", " ").split()) or None,
        "created": values.get("CreationDate"),
        "parent": values.get("ParentId"),
        "accepted_answer": values.get("AcceptedAnswerId"),
    }
    for ours, theirs in (
        ("score", "Score"),
        ("views", "ViewCount"),
        ("answers", "AnswerCount"),
        ("comments", "CommentCount"),
    ):
        try:
            record[ours] = int(values[theirs])
        except KeyError:
            continue
        except ValueError:
            return BadRecord(row, f"not a post: {theirs} is no number", byte)
    return Record({key: value for key, value in record.items() if value is not None}, row, byte)


def license_of(post: Mapping[str, str]) -> str | None:
    """Return a post's licence as SPDX: what the dump says, else by the day it was written; None without either."""
    stated = post.get("ContentLicense")
    if stated:
        return stated.strip().replace(" ", "-")
    day = post.get("CreationDate", "")[:10]
    return next((spdx for before, spdx in _LICENSES if day < before), "CC-BY-SA-4.0") if day else None
