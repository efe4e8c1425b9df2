"""What a Wikipedia lead is about: its sentences, its subject, and which sentences speak of that subject.

Everything here works on `plain(text)`, which replaces odd white space one for one, so that an offset into it
is an offset into the document and every answer can be cut verbatim out of the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.rewriting.qa_case import mid_sentence
from pipeline.rewriting.qa_people import is_person

_SPACES = {ord(c): " " for c in "\u00a0\u2009\u202f\u2002\u2003\u200a\t\r\u2007\u2008\u200b\u200c\u200d"}
# A full stop after these, or after an initial, ends no sentence.
_ABBREVIATION = re.compile(
    r"(?:mr|mrs|ms|dr|st|sr|jr|prof|gen|col|capt|lt|sgt|rev|hon|c|ca|cf|vs|etc|no|vol|fig|approx|e\.g|i\.e|lit|fl|r|"
    r"b|d|inc|ltd|co|corp|u\.s|u\.k|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|mt|ft|var|subsp|sp|spp|gr"
    r")",
    re.IGNORECASE,
)
_BREAK = re.compile(r"([.!?][\"'”’)]*)\s+(?=[\"'“‘(]?[A-Z0-9])|\n+")
_FINITE = re.compile(
    r"\s(is|was|are|were|refers? to|consists? of|consisted of|comprises?|describes?|"
    r"reigned|ruled|began|took place|means|involves|"
    r"includes?|studies|encompasses|occurs?)\s"
)
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_CONTEXT = re.compile(r"^(In|Within) ([a-z][^,.]{2,60}), (?=\S)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_DISAMBIGUATION = re.compile(r"\s*\([^()]*\)$")
_FRONTED = re.compile(
    r"^(?:(?:In|On|During|By|Since|From|After|Around) [^,]{2,45}, |(?:With|Located|Situated)"
    r" (?:[^,]|,(?=\d)){5,90}, )"
)
# What follows a subject that goes on, so that its verb is not next.
_NO_VERB = ("and ", "or ", "of ", "in ", "on ", "at ", "with ", "from ", "to ", "who ", "that ")
# "World War I." ends a sentence, "I. M. Pei" does not.
_NUMERAL = re.compile(r"[a-z] [IVX]\.[)\"”]?$")
# A subject with one of these in it is a clause, or two things at once.
_CLAUSE = re.compile(
    r"\b(?:that|which|who|whose|where|when|while|has|have|had|is|was|are|were|be|there|"
    r"this|these|can|may|might|could|would|will|should)\b"
)


_ADVERB_END = re.compile(
    r" (?:generally|usually|often|typically|commonly|also|traditionally|sometimes|broadly|literally|"
    r"generally speaking)$"
)
_SINGULAR_VERB = re.compile(r"(?:is|was|has|does|(?:\w+ly )?[a-z]+[^su\W]s) ")
_PLURAL_VERB = re.compile(r"(?:are|were|have|do) ")


@dataclass(frozen=True)
class Subject:
    """How the subject is named inside a sentence, with its article if it takes one."""

    name: str
    person: bool
    plural: bool
    head: str  # the noun of its definition ("university"), "" where none was found
    pronouns: frozenset[str]

    @property
    def possessive(self) -> str:
        return self.name + ("'" if self.plural and self.name.endswith("s") else "'s")


@dataclass(frozen=True)
class Sentence:
    """A sentence of the lead. `predicate` starts with the verb; it is "" where the subject is another."""

    text: str
    start: int
    predicate: str
    fronted: str  # "In 1905, " before the subject, "" mostly
    first: bool

    @property
    def offset(self) -> int:
        """Where the predicate starts in the passage (it is a suffix of its sentence)."""
        return self.start + len(self.text) - len(self.predicate)


@dataclass(frozen=True)
class Passage:
    text: str  # plain(text) of the document, offsets kept
    subject: Subject
    context: str  # "mathematics" of "In mathematics, a plane is ...", else ""
    apposition: str  # what stands between the subject and its verb in the first sentence
    sentences: tuple[Sentence, ...]


def plain(text: str) -> str:
    """White space of other kinds as spaces, one for one: lengths and offsets stay."""
    return text.translate(_SPACES)


def split_sentences(text: str) -> list[tuple[int, str]]:
    """(offset, sentence) pairs. Abbreviations and initials do not end a sentence; a new line does."""
    out, start = [], 0
    for match in _BREAK.finditer(text):
        if match.group(1) is not None:
            before = text[start : match.start()].rsplit(" ", 1)[-1].lstrip("(\"'“‘")
            initial = len(before) == 1 and before.isupper() and not _NUMERAL.search(text, start, match.end(1))
            if match.group(1)[0] == "." and (initial or _ABBREVIATION.fullmatch(before)):
                continue
        end = match.end(1) if match.group(1) is not None else match.start()
        out.append((start, text[start:end]))
        start = match.end()
    out.append((start, text[start:]))
    return [(at + len(s) - len(s.lstrip()), s.strip()) for at, s in out if s.strip()]


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def _stems(text: str) -> set[str]:
    return {w.lower().rstrip("s") for w in words(text)} - {"the", "a", "an", "of", "or", "and", "in"}


def _head_noun(predicate: str) -> str:
    """The noun that a definition turns on: "is a public university in Beijing" -> "university"."""
    match = re.match(
        r"(?:is|was|are|were) (?:an?|the) ((?:[\w'’-]+ ){0,6}?[\w'’-]+)(?= (?:in|of|on|that|who|which|by|from|for|at|"
        r"to|with|and|located|situated|directed|written|used|made|based|between)"
        r"\b|[,.;(])",
        predicate,
    )
    noun = match.group(1).rsplit(" ", 1)[-1] if match else ""
    return noun if noun.islower() else ""


def _opening(sentence: str, title: str) -> tuple[str, str, str, str] | None:
    """(context, subject phrase, apposition, predicate) of a defining first sentence, or None."""
    context = _CONTEXT.match(sentence)
    body = sentence[context.end() :] if context else sentence
    verb = _FINITE.search(body)
    if not verb or verb.start() > 220:
        return None
    before = _BRACKETS.sub("", body[: verb.start()]).strip()
    phrase, comma, apposition = before.partition(",")
    # "The jackfruit, jakfruit or nangka is": names in a row, nothing after the last one.
    open_ended = bool(comma) and not before.endswith(",")
    if open_ended and not re.fullmatch(r"(?:[^,]+, )*[^,]+ or [^,]+", apposition.strip()):
        return None
    phrase = _ADVERB_END.sub("", phrase)
    several = phrase
    phrase = re.split(r" (?:or|also|and its) ", phrase, maxsplit=1)[0].strip()
    article, _, noun = phrase.partition(" ")
    if article not in ("The", "A", "An"):
        article, noun = "", phrase
    if phrase != several and title.lower().startswith(noun.lower() + " "):
        phrase = f"{article} {title}".lstrip()  # "The Arabian or Arab horse is": the noun comes after both names
    if not phrase or len(phrase.split()) > 8 or _CLAUSE.search(phrase) or not (_stems(phrase) & _stems(title)):
        return None
    if apposition.startswith(" and ") or phrase.endswith(" and") or (" and " in phrase and " and " not in title):
        return None
    return (context.group(2) if context else "", phrase, apposition.strip(" ,"), body[verb.start(1) :])


def read_passage(text: str, title: str) -> Passage | None:
    """The passage as the rules see it; None where the first sentence does not say what its subject is."""
    text = plain(text)
    pieces = split_sentences(text)
    title = plain(title).strip()
    base = _DISAMBIGUATION.sub("", title)
    if not pieces or not base:
        return None
    opening = _opening(pieces[0][1], title)
    if opening is None:
        return None
    context, phrase, apposition, predicate = opening
    person = is_person(phrase, predicate, text)
    plural = predicate.startswith(("are ", "were "))
    known = set(words(text))
    short = base.split(",")[0]
    if person and not phrase.startswith("The ") and all(w in known for w in words(short)):
        name = short
    else:
        name = mid_sentence(phrase, base, text, predicate)
    if not name:
        return None
    if person:
        masculine, feminine = (re.search(p, text) for p in (r"\b[Hh](?:e|is)\b", r"\b(?:[Ss]he|[Hh]er)\b"))
        he = masculine and (not feminine or masculine.start() < feminine.start())
        pronouns = frozenset({"he"} if he else {"she"} if feminine else ())
    else:
        pronouns = frozenset({"they"} if plural else {"it"})
    subject = Subject(name, person, plural, _head_noun(predicate), pronouns)
    return Passage(text, subject, context, apposition, _resolve(pieces, subject, phrase, base, predicate))


def _resolve(
    pieces: list[tuple[int, str]], subject: Subject, phrase: str, base: str, predicate: str
) -> tuple[Sentence, ...]:
    """Find the predicates of the sentences about the subject: by name, "the university", or a pronoun.

    A pronoun counts only in a row of sentences about the subject: after "His father was a painter." the next
    "He" may be the father.
    """
    starts = {phrase, base, subject.name, subject.name[:1].upper() + subject.name[1:], "The " + base}
    if subject.person:
        starts.add(base.split(",")[0].rsplit(" ", 1)[-1])
    if subject.head:
        starts |= {f"The {subject.head}", f"This {subject.head}"}
    starts |= {p.capitalize() for p in subject.pronouns}
    openings = tuple(f"{s} " for s in sorted(starts, key=lambda s: (-len(s), s)))
    out = [Sentence(pieces[0][1], pieces[0][0], predicate, "", True)]
    about = True
    for at, sentence in pieces[1:]:
        fronted = _FRONTED.match(sentence)
        body = sentence[fronted.end() :] if fronted else sentence
        body = body[:1].upper() + body[1:]
        opening = next((o for o in openings if body.startswith(o)), "")
        rest = body[len(opening) :] if opening else ""
        by_pronoun = opening.strip().lower() in subject.pronouns
        if not rest[:1].islower() or (by_pronoun and not about) or rest.startswith(_NO_VERB):
            rest = ""
        if (_SINGULAR_VERB if subject.plural else _PLURAL_VERB).match(rest):
            rest = ""  # the other number: of the kind after one of them, and a question would mix both
        out.append(Sentence(sentence, at, rest, fronted.group() if fronted and rest else "", False))
        about = bool(rest) or (about and not subject.person and sentence.startswith(("Its ", "Their ")))
    return tuple(out)
