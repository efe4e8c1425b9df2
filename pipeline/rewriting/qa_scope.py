"""What stands before the subject limits what is said: "In Indonesia, the island is known as Kalimantan"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.rewriting.qa_rules import DATE

_TIME = re.compile(rf"(?:In|On|During) {DATE}$")
_NO_LIMIT = re.compile(r"(?:With|Located|Situated) ")
# What points back or only links sentences limits nothing that a question could name.
_VAGUE = re.compile(
    r"(?:addition|particular|general|contrast|fact|total|turn|short|part|order|recent|some|many|most|other|the end|"
    r"the meantime|simple|simpler|other words|response|effect|practice|theory|essence|comparison|conjunction|"
    r"collaboration|spite|time|later|early|modern times|this|these|that|those|its|his|her|their|both|all|each|such|"
    r"one|an?|the (?:same|process|past|early|late|first|following))\b"
)
_PLACE_OR_FIELD = re.compile(r"(?:In|During) (?:the )?[A-Za-z][\w -]{2,40}$")


@dataclass(frozen=True)
class Scope:
    before: str = ""  # "In Indonesia, "
    after: str = ""  # " in 1907"

    def of(self, question: str) -> str:
        """The question within these limits."""
        if self.before:
            return self.before + question[0].lower() + question[1:]
        return question[:-1] + self.after + question[-1:]


def scope_of(fronted: str) -> Scope | None:
    """The limits that an opening ("In 1907, ") sets; None where a question cannot carry them."""
    opening = fronted.removesuffix(", ")
    if not opening or _NO_LIMIT.match(opening):
        return Scope()
    if _TIME.match(opening):
        return Scope(after=" " + opening[0].lower() + opening[1:])
    _, _, rest = opening.partition(" ")
    if _PLACE_OR_FIELD.match(opening) and not _VAGUE.match(rest):
        return Scope(before=f"{opening}, ")
    return None
