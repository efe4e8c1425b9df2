"""Definitions turned round: what is described is asked for, the subject's own name in the passage answers.

"Tooth decay is the breakdown of teeth due to acids" asks "What is the breakdown of teeth due to acids called?", and
"X was an Irish poet who wrote Y" asks "Which Irish poet wrote Y?". Only descriptions that fit one thing are turned:
"a flowering plant in the family Apiaceae" fits thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.rewriting.qa_grammar import clip_clause
from pipeline.rewriting.qa_passage import Passage
from pipeline.rewriting.qa_rules import Candidate

_SOMEBODY = re.compile(
    r"(?P<be>is|was) (?:an?|the) (?P<n>(?:[A-Z][\w-]+(?: and |, |/| )?)*(?:[a-z-]+(?:,? and |, |"
    r" )){1,8})(?<!, )who (?P<v>(?:served as (?:the |[A-Z])|was (?:the |responsible )|is the |won (?:the|an?|\d)|"
    r"founded|invented|discovered|created|popularized|formulated|directed|led|developed|established|designed|"
    r"wrote (?:the |[A-Z\"])|became the|introduced|pioneered|chaired|commanded|proposed|conceived|conquered|"
    r"translated|composed|produced|ruled|reigned) ?.+)"
)
_NOT_WHICH = re.compile(r"(?:one|two|people|group|member|figure|person|man|woman|name|first|last|only|most) ")
_DESCRIBED = re.compile(
    r"(?P<be>is|are) (?P<d>the (?:[a-z-]+ )?(?:study|process|practice|art|act|science|use|breakdown|application|"
    r"conversion|belief|theory|ability|state|action|removal|measurement|production|property|tendency|transfer|ratio|"
    r"rate|amount|distance|movement|interpretation|collection|cultivation|exchange|branch|field|part|point|period|"
    r"relationship|surface|layer|region|transmission|formation|loss|cutting|making|design|manufacture|"
    r"treatment) (?:and [a-z]+ )?(?:of|by|in|that|which|used|when|where|between|for|at|from) .+|an? (?!type|kind|"
    r"form|group|family|genus|member|number|term|set|series|common|large|small|general|major|"
    r"popular)(?:[a-z-]+ ){1,3}(?:that|which|in which|where|used to|used for|designed to|intended to) .+)"
)
# Kinds with so many members that no description of this length picks one.
_MANY = re.compile(
    r"\b(?:species|plant|tree|shrub|herb|fish|bird|mammal|reptile|insect|animal|fruit|vegetable|element|metal|"
    r"mineral|compound|disease|disorder|sport|game|dance|instrument|language|virus|cell|organ|gland|spice|dish|drink|"
    r"breed|rock|field|color|colour|genre|dog|style|person|professional|concept|material|term|word|condition|"
    r"substance)\b"
)
_CUT = re.compile(r" and, |\bor in other words$|\b(?:[a-z]+ly|several|various)$|\bseveral important\b")
MAX_WORDS = 28


def described(passage: Passage) -> Iterator[Candidate]:
    subject, first = passage.subject, passage.sentences[0]
    predicate = first.predicate
    if subject.person:
        match = _SOMEBODY.match(predicate)
        if not match or _NOT_WHICH.search(match["n"]):
            return
        end = clip_clause(predicate, match.start("v"), MAX_WORDS)
        if end > 0 and predicate.count(" ", match.start("v"), end) >= 3:
            yield from _answered(passage, f"Which {match['n'].strip()} {predicate[match.start('v') : end]}?")
        return
    match = _DESCRIBED.match(predicate)
    common = subject.name.removeprefix("a ").removeprefix("an ")
    if not match or common != common.lower() or common.startswith("the ") or passage.context:
        return
    end = clip_clause(predicate, match.start("d"), MAX_WORDS)
    text = predicate[match.start("d") : end]
    head = re.split(
        r" (?:that|which|in|where|used|designed|intended|of|by|when|between|for|at|from) ", text, maxsplit=1
    )[0]
    if match["be"] == "are" and text.startswith(("a ", "an ")):
        return
    if end < 0 or text.count(" ") < 4 or _MANY.search(head) or _CUT.search(text):
        return
    whole = predicate[match.start("d") + len(text) :]
    if not whole.startswith((".", ";")) and (not whole.startswith(",") or re.search(r" (?:in which|where) ", text)):
        return  # stopped in the middle of a phrase, or before the verb of "in which one substance, ..., is dispersed"
    yield from _answered(passage, f"What {match['be']} {text} called?", f"What is the term for {text}?")


def _answered(passage: Passage, *questions: str) -> Iterator[Candidate]:
    """The questions, answered by the subject's name as the passage writes it first, without its article."""
    name = re.sub(r"^(?:an?|the) ", "", passage.subject.name)
    at = passage.text.find(name)
    if at < 0 or (at > 0 and passage.text[at - 1].isalnum()):
        name = name[:1].upper() + name[1:]
        at = passage.text.find(name)
    end = at + len(name)
    if at >= 0 and not passage.text[end : end + 1].isalnum():
        yield Candidate("described", questions, at, end)
