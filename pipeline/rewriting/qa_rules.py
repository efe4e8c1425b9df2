"""What a question rule is, and the pieces that the rules' patterns are built of.

A rule says what a predicate must look like, what is asked, and which span of it answers. It reads a sentence
whose subject is the passage's subject, so `{name}` can stand for it. The rules themselves are the tables of
`qa_facts` and `qa_relations`, and the functions of `qa_special` and `qa_naming`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
YEAR = r"\d{3,4}(?: (?:BCE|BC|AD|CE))?"
DATE = (
    rf"(?:(?:early |mid-|late )?(?:\d{{1,2}} )?{MONTH} (?:\d{{1,2}}, )?{YEAR}|{MONTH} \d{{1,2}}(?! ?,? ?\d)"
    rf"|the (?:(?:early|late|mid)[ -])?(?:\w+[- ])?\w+ century(?: (?:BCE|BC|AD|CE))?|the \d{{3,4}}s|{YEAR}"
    r")(?![\w%–-])(?! (?:people|km|miles|m|ft|kg|species|members|days|of)\b)"
)
# A name, or several: "J. R. R. Tolkien", "Lillian Gish and Frank E. Woods".
_CAP = r"(?:[A-Z][\w’'-]*\.?|[A-Z]\.)"
_NAME = rf"{_CAP}(?: (?:(?:of|de|da|di|la|le|von|van|der|den|du|bin|ibn|al|the) ){{0,2}}{_CAP}){{0,5}}"
AGENT = (
    r"(?:the |an? )?(?:[a-z-]+ |[A-Z][\w-]+ (?=[a-z])){0,4}"
    rf"{_NAME}(?:(?:, {_NAME})*,? and {_NAME})?(?<![ .][A-Z])"
)
# A number to its end, thousands and decimals with it.
NUMBER = r"\d[\d,.–-]*(?<![,.–-])(?![,.]?\d)"
# What may stand between "was founded" and its date without being what it was founded as, or to.
AROUND = r"(?: (?:by|in|at|as|under|on behalf of) [^,;.()\d]{2,50}?)??"
BE = r"(?P<be>is|was|are|were)(?: also)?"
ADVERB = r"(?:(?:first|originally|officially|formally|initially|also|later|then|mainly|primarily|\w+ly) )?"

MADE = (
    "founded|established|formed|created|built|constructed|completed|released|published|opened|discovered|"
    "invented|introduced|developed|launched|incorporated|recorded|produced|painted|composed|written|signed|"
    "adopted|held|isolated|designed|assassinated|executed|killed|crowned|canonized|coined|"
    "abolished|destroyed|dissolved|inaugurated|ratified|fought|premiered|broadcast|inscribed"
)
AUTHORED = (
    "founded|created|built|discovered|invented|developed|directed|written|composed|painted|designed|"
    "published|produced|recorded|sculpted|led|formulated|coined|proposed|isolated"
)

# What a person did something to.
OBJECT = r"(?P<a>(?:(?:the|an?|his|her|its|their|more than|over|about|two|three|four|five)\b|[A-Z\"“\d]).+)"

MAX_ANSWER_WORDS = 40  # of an answer that runs to the end of its clause


@dataclass(frozen=True)
class Candidate:
    """A question (one of several wordings) whose answer is `passage.text[start:end]`."""

    kind: str
    questions: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Rule:
    """`pattern` is matched at the predicate's start; group `a` is the answer.

    Where `clip` is set the answer runs from `a`'s start to the end of its clause. Templates are filled with
    the subject's `{name}`, `{poss}`, `{do}`/`{does}` forms and the pattern's named groups. `who`: "person",
    "thing", "".
    """

    kind: str
    pattern: re.Pattern[str]
    templates: tuple[str, ...]
    clip: bool = False
    first_only: bool = False
    who: str = ""
    gate: str = ""  # a substring without which the pattern cannot match (speed only)


def rule(kind: str, pattern: str, *templates: str, **options: bool | str) -> Rule:
    return Rule(kind, re.compile(pattern), templates, **options)  # type: ignore[arg-type]
