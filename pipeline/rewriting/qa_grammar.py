"""Verb forms and clause ends: the little grammar that the question rules need."""

from __future__ import annotations

import re

# Past and third-person forms whose base form is not the word less its ending.
_BASES = {
    "acted": "act",
    "worked": "work",
    "returned to": "return to",
    "focuses on": "focus on",
    "wrote": "write",
    "won": "win",
    "built": "build",
    "led": "lead",
    "began": "begin",
    "held": "hold",
    "arose": "arise",
    "starred in": "star in",
    "taught": "teach",
    "proved": "prove",
    "became": "become",
    "grew up": "grow up",
    "married": "marry",
    "studied": "study",
    "studies": "study",
    "occupies": "occupy",
    "shares borders with": "share borders with",
    "empties": "empty",
    "co-founded": "co-found",
    "ruled": "rule",
    "occurred": "occur",
    "commanded": "command",
    "joined": "join",
    "headed": "head",
    "opposed": "oppose",
    "proposed": "propose",
    "debuted": "debut",
    "means": "mean",
    "appeared": "appear",
    "developed": "develop",
    "opened": "open",
    "ended": "end",
    "lasted": "last",
    "existed": "exist",
    "conquered": "conquer",
    "defeated": "defeat",
    "succeeded": "succeed",
    "composed": "compose",
    "earned": "earn",
    "founded": "found",
    "received": "receive",
    "directed": "direct",
    "published": "publish",
    "invented": "invent",
    "discovered": "discover",
    "painted": "paint",
    "established": "establish",
    "designed": "design",
    "recorded": "record",
    "coined": "coin",
    "pioneered": "pioneer",
    "explored": "explore",
    "defended": "defend",
    "supported": "support",
    "signed": "sign",
    "launched": "launch",
    "commissioned": "commission",
    "emerged": "emerge",
    "flourished": "flourish",
    "reigned": "reign",
    "hosted": "host",
    "lived": "live",
    "formulated": "formulate",
}


def base_form(verb: str) -> str:
    """The infinitive of a captured verb form ("wrote" -> "write", "consists of" -> "consist of")."""
    if verb in _BASES:
        return _BASES[verb]
    first, space, rest = verb.partition(" ")
    if first.endswith(("ches", "shes", "sses", "xes")):
        first = first[:-2]
    elif first.endswith(("ed", "s")):
        first = first[:-1]
    return first + space + rest


# Where an open-ended answer stops: the next clause begins, and what stands before it is already an answer.
_CLIP = re.compile(
    r"[;:]|(?<![\dCDE]) [–—-] |—| ?\(|, (?:and |but |or |then )?(?:which|who|whose|where|when|while|with|but|"
    r"although|though|because|after|before|since|until|as(?! well as)|so|yet|he|she|it|they|his|her|its|their|is|was|"
    r"are|were|has|had|have|this|these|making|followed|especially|particularly|including|such as|thereby|thus|both|"
    r"becoming|being|having|according|despite|except|not|due|whereas|meaning|for|under|also|known|though|most|"
    r"notably|usually|often|sometimes|at|by|from|in (?:which|addition|part|order)|among|each|on which|of which|"
    r"[a-z]{3,}ing|(?!(?:infra)?red\b)[a-z]{3,}ed|became|began|led|won|wrote|made|rather|either|that|to)\b|"
    r" and (?:is|was|are|were|has|had|have|became|began|led|won|wrote|served|it|he|she|they|died|remained|one of|can|"
    r"may|will|also|held|shares|covers|contains|includes|borders|made|left|took|gave|went|saw|found|kept|brought|"
    r"fought|began|came|grew|rose|spent|tends|tend|uses|requires|thus|extends|lies|consists|serves|provides|plays|"
    r"taught|put|who|connects|stretches|flows|adjoins|(?:forms|marks|links|runs|drains|stands|sits|separates|"
    r"continues) (?:the|an?|its|in|on|from|to|through|along|part)|thus|then|later|(?!related\b|united\b|applied\b|"
    r"advanced\b|combined\b|associated\b|infrared\b|reduced\b|increased\b|limited\b|impaired\b|improved\b|"
    r"enhanced\b)[a-z]{3,}ed)\b| and (?:their|its|his|her) (?:\w+ ){1,6}?(?:is|are|was|were|has|had|have|continued|"
    r"became|remains?)\b|, and in | and the (?:[\w-]+[ -])?(?:largest|most|capital|only|first|second|third|oldest|"
    r"longest|highest)\b| (?:due to|but|although|though|whereas|because|while) |, and (?:an?|"
    r"the) [\w -]{1,40}? (?:is|are|was|were|has|have|requires?|can|may|became)\b|, (?:in|on) (?:the )?\d|, (?:the|"
    r"an?) \w+ of "
)
_CLOSED = re.compile(r"[.;]|$| –| —")
_TRAILING = re.compile(r"[,.\s]+$")
_PARTICIPLE = re.compile(r", [a-z]+(?:ing|ed)$")
_AND_ED = re.compile(r", and [a-z]+ed$")
# "fluid string bending[, shimmering vibrato, and staccato picking]"
_NEXT_ITEM = re.compile(
    r", (?!including|followed|making|becoming|being|having)[a-z]+(?:ing|"
    r"ed)(?: [^,.;]{1,40})?(?:, [^,.;]{1,40})*, (?:and|or) "
)
_LIST_GOES_ON = re.compile(r",| (?:and|or) ")
_COUNTED = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|\d+)\b")
_LIST_LEFT_OPEN = re.compile(r"[^,]+(?:, [^,A-Z][^,]*){2,}")


def clip_clause(text: str, start: int, max_words: int) -> int:
    """End offset of the clause that begins at `start`, cut before a possible next clause.

    -1 where it is too long or stops inside a list. Brackets and quotations are stepped over, unless a bracket is
    the last thing of the clause.
    """
    end, at = len(text), start + 1
    while match := _CLIP.search(text, at):
        here = match.start()
        opened = text.rfind("(", start, here)
        if text[here] != "(" and opened > text.rfind(")", start, here):
            here = opened
        if "(" in match.group() or here == opened:
            opened = text.find("(", here)
            close = text.find(")", opened)
            if close < 0 or _CLOSED.match(text, close + 1):  # the last thing of its clause
                end = here
                break
            at = close + 1
        elif text.count('"', start, here) % 2:
            closing = text.find('"', here)
            if closing < 0:
                return -1
            at = closing + 1
        elif _PARTICIPLE.match(match.group()) and _in_list(text, start, match.end()):
            at = match.end()
        elif _NEXT_ITEM.match(text, here) or (
            _AND_ED.match(match.group()) and "," in text[max(start, here - 40) : here]
        ):
            return -1
        elif text[here] == ":" and _COUNTED.search(text, start, here):
            return -1  # "into two suborders: ..." is no answer without what follows
        else:
            end = here
            break
    pair = text.find(", and ", start, end)
    if pair >= 0 and "," not in text[start:pair] and not (text[pair + 6].isupper() and text[start].isupper()):
        end = pair  # a list with a comma before its "and" has another before that
    answer = _TRAILING.sub("", text[start:end])
    items = answer.partition(", ")[2]
    if items and " and " not in items and " or " not in items:
        left_open = text[start + len(answer) :].partition(". ")[0]
        if _LIST_LEFT_OPEN.fullmatch(answer) or (left_open.startswith(", ") and ", and " in left_open):
            return -1
    return start + len(answer) if answer.count(" ") < max_words else -1


def _in_list(text: str, start: int, end: int) -> bool:
    """Whether the participle that ends at `end` is an item of a list ("diction, phrasing, timing, and ...")."""
    verbal = text[start:end].partition(" ")[0].endswith("ing") and text[:end].endswith("ing")
    return verbal or _LIST_GOES_ON.match(text, end) is not None
