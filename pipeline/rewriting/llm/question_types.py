"""Whether an answer is of the kind that its question asks for, by the question's first words (English)."""

from __future__ import annotations

import re

from pipeline.rewriting.llm.grounding import FUNCTION_WORDS, words

_TIME = re.compile(
    r"\d|centur|decade|year|month|day|summer|winter|spring|autumn|period|era\b|age\b|dynasty|war\b|revolution", re.I
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|"
    r"several|many|few|most|half|third|quarter|no|none|all)\b",
    re.I,
)
_NAME = re.compile(r"\b(?!(?:The|An?|In|On|It|This|That|These|Those)\b)[A-Z][^\W_]")
_WHO = re.compile(
    r"\bby\b|\b(?:people|person|man|woman|king|queen|emperor|president|scientist|artist|group|tribe)s?\b", re.I
)

_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(
            r"^(?:when|(?:in|on|during|since|until|from) (?:what|which) (?:year|date|century|decade|month|day))\b", re.I
        ),
        _TIME,
    ),
    (re.compile(r"^(?:what|which) (?:year|date|century|decade|month|day)\b", re.I), _TIME),
    (re.compile(r"^how (?:many|much|old|long|tall|high|large|big|far|deep|fast|often)\b", re.I), _NUMBER),
    (re.compile(r"^(?:what|which) (?:percentage|number|proportion) of\b", re.I), _NUMBER),
    (
        re.compile(
            r"^(?:where|(?:in|on|at) (?:what|which) (?:country|city|state|continent|region|island|place))\b", re.I
        ),
        _NAME,
    ),
    (re.compile(r"^(?:who|whom|whose)\b", re.I), re.compile(f"{_NAME.pattern}|{_WHO.pattern}")),
)
_OPEN = re.compile(r"^(?:what|which|why|how|(?:in|of|by|to|from|for|on|with|at) (?:what|which|whom))\b", re.I)


_DEFINES = re.compile(r"^(what|who) (is|are|was|were) (an? |the )?((?:[\w'’.-]+ ?){1,5})\?$", re.I)
_AFTER_BE = re.compile(r"\b(?:is|are|was|were)(?: (?:also|usually|generally|typically|either|now|still))?\s+$")
_PRONOUN = re.compile(r"^(?:it|its|they|their|he|his|she|her|this|these|that|those)\b", re.I)
_ENDS = re.compile(  # what may follow a definition that is whole
    r"^\s*(?:\([^()]*\)\s*)?(?:$|[.;:)–—]|,(?!\s*(?:of|or|but|and|nor|\w+ing)\b)|"
    r"(?:and (?:is|was|are|were|has|had)|which|in(?! which)|on(?! which)|as|while|since|from|at)\b)"
)
_SPAN_BEGUN = re.compile(r"\b(?:from|between|since|until|to|and|or)\s+$", re.I)
_SPAN_GOES_ON = re.compile(r"^\s*(?:to|and|or|until|[–-])\s*(?:\d|[A-Z])")
_TIME_BEGINS = re.compile(
    r"^(?:\d|(?:in|on|from|between|since|around|about|during|by|at|after|before|until|circa|early|mid|late|"
    r"the (?:early|mid|late|\d\w*|\w+ century|end|beginning)) |"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)\b)",
    re.I,
)
_PLACE_BEGINS = re.compile(r"^(?:(?:in|on|at|near|along|between|off|within|across|through|to|around) |[A-Z])")


def is_partial(question: str, answer: str, text: str) -> str:
    """Return why a span is no whole answer, or "".

    `no_definition`: "what is X" is answered by what follows X and a form of "be" in the text, X with the same article.
    `answer_incomplete`: the text goes on in the middle of what was asked for (a definition that is restricted further,
    a span of years of which one is given), or a time or place begins as none does. `question_not_grounded`: the
    question asks for what the text does not speak of.
    """
    at = text.find(answer)
    before, after = (text[:at], text[at + len(answer) :]) if at >= 0 else ("", "")
    if defines := _DEFINES.match(question):
        if not _AFTER_BE.search(before) or _PRONOUN.match(before) or not _is_subject(defines, before):
            return "no_definition"
        return "" if _ENDS.match(after) else "answer_incomplete"
    content = [word for word in words(question) if word not in FUNCTION_WORDS]
    if not all(any(other.startswith(word[:5]) for other in words(text)) for word in content):
        return "question_not_grounded"
    if re.match(r"^when\b", question, re.I):
        cut = _SPAN_BEGUN.search(before) or _SPAN_GOES_ON.match(after)
        return "" if _TIME_BEGINS.match(answer) and not cut else "answer_incomplete"
    if re.match(r"^where\b", question, re.I):
        return "" if _PLACE_BEGINS.match(answer) else "answer_incomplete"
    return ""


def _is_subject(question: re.Match[str], before: str) -> bool:
    """Whether what a question asks about is what the text before the answer speaks of, whole and with its article.

    "What was" of a name without an article is refused: it may be a person's.
    """
    asks, verb, article, name = question.groups()
    if asks.lower() == "what" and verb.lower() in ("was", "were") and not article:
        return False
    given, generic = (article or "").strip().lower(), name[:1].islower()
    begins = {"": "(?:the )?" if verb.lower() in ("are", "were") else "", "the": "the "}.get(
        given, "(?:an?|the) " if generic else "an? "
    )
    ends = r"(?=\s*(?:,|\(|or\b|is\b|are\b|was\b|were\b))"
    return (
        re.search(rf"(?:^|, |\bor |known as |called ){begins}{re.escape(name.strip())}{ends}", before, re.I) is not None
    )


def answers_in_kind(question: str, answer: str, strict: bool = False) -> bool:
    """Whether the answer can be one. Open questions ("what", "why", "how") take any; strict: yes-no questions none."""
    for asks, has in _KINDS:
        if asks.match(question):
            return has.search(answer) is not None
    return bool(_OPEN.match(question)) or not strict
