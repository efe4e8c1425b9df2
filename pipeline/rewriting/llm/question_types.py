"""Whether an answer is of the kind that its question asks for, by the question's first words (English)."""

from __future__ import annotations

import re

_TIME = re.compile(
    r"\d|centur|decade|year|month|day|summer|winter|spring|autumn|period|era\b|age\b|dynasty|war\b|revolution", re.I
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|"
    r"several|many|few|most|half|third|quarter|no|none|all)\b",
    re.I,
)
_NAME = re.compile(r"\b[A-Z][^\W_]")
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


def answers_in_kind(question: str, answer: str, strict: bool = False) -> bool:
    """Whether the answer can be one. Open questions ("what", "why", "how") take any; strict: yes-no questions none."""
    for asks, has in _KINDS:
        if asks.match(question):
            return has.search(answer) is not None
    return bool(_OPEN.match(question)) or not strict
