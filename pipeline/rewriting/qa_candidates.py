"""From a passage to candidate pairs: the table's rules and the few that need more than a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pipeline.rewriting.qa_facts import FACTS
from pipeline.rewriting.qa_grammar import base_form, clip_clause
from pipeline.rewriting.qa_naming import acronyms, aliases, definition
from pipeline.rewriting.qa_passage import Passage, Sentence
from pipeline.rewriting.qa_people import names_trades
from pipeline.rewriting.qa_relations import RELATIONS
from pipeline.rewriting.qa_reverse import described
from pipeline.rewriting.qa_rules import MAX_ANSWER_WORDS, Candidate, Rule
from pipeline.rewriting.qa_scope import scope_of
from pipeline.rewriting.qa_special import fronted, owned, reverse, symbol

_ADVERB = re.compile(
    r"(?:also|later|then|typically|usually|often|generally|first|primarily|mainly|subsequently|"
    r"eventually) "
)


# What an answer of a kind does not go on with, although its clause does.
_STOPS = {
    "place": re.compile(
        r",? and (?:(?:an?|one|its|is) |the (?:[a-z]+'s|capital|largest|most|administrative|main|seat|second|third|"
        r"only|first|economic|cultural|centre|center|county|home) |[a-z]+s (?:in|on|into|from|the|an?) )|, (?:the|"
        r"an?) [a-z]|, [a-z]+er | (?:connect(?:ed|ing)|after|which|that) "
    ),
    "kin": re.compile(
        r",? and (?:the|an?) (?:[a-z]+ )?(?:mother|father|brother|sister|wife|husband|grand\w+|uncle|aunt) "
    ),
    "role": re.compile(r",? and an? |, active\b| from (?:its|his|her) | where "),
    "border": re.compile(r",? and (?:forms|has|is|lies|contains) "),
}


# "is a Thai kingdom that ...": nothing between that the clause could belong to instead.
_THAT = re.compile(
    r"(?:is|was) (?:an?|the) (?:(?!of |in |by |from |for |on |with |between |at |to |and )[\w-]+ ){1,5}(?:that|which) "
)
# "Belarus to the north[; Poland and Slovakia to the west]", "Cameroon to the north[, the Republic of the Congo ...]"
_BORDER_LEFT_OUT = re.compile(r"to the [a-z]+(?:; (?:the )?[A-Z]|, the [A-Z][a-z]+ of)")
_DATED = ("date", "birth", "death", "start", "office", "release")


def candidates(passage: Passage) -> Iterator[Candidate]:
    """Every pair that the rules see, in the order of the passage."""
    yield from definition(passage)
    yield from aliases(passage)
    for sentence in _with_relative(passage):
        yield from acronyms(sentence)
        if sentence.predicate:
            yield from _from_rules(passage, sentence)
            if not sentence.fronted:
                yield from reverse(passage, sentence)
            else:
                yield from fronted(passage, sentence)
    yield from owned(passage)
    yield from symbol(passage)
    yield from described(passage)


def _with_relative(passage: Passage) -> Iterator[Sentence]:
    """The sentences, and after the first its relative clause ("a poet who wrote ...", "a kingdom that lasted ...")."""
    first = passage.sentences[0]
    yield first
    before, who, after = first.predicate.partition(" who ")
    if passage.subject.person and who and "," not in before[-30:].replace(", and", ""):
        yield replace(first, predicate=after, first=False)
    that = _THAT.match(first.predicate)
    if that and not passage.subject.person and not passage.subject.plural:
        yield replace(first, predicate=first.predicate[that.end() :], first=False)
    yield from passage.sentences[1:]


def _from_rules(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
    subject, predicate = passage.subject, sentence.predicate
    scope = scope_of(sentence.fronted)
    if scope is None:
        return
    seen_spans: set[tuple[int, int]] = set()
    adverb = _ADVERB.match(predicate)
    skip = adverb.end() if adverb else 0
    for rule in FACTS + RELATIONS:
        if (rule.first_only and not sentence.first) or (rule.gate and rule.gate not in predicate):
            continue
        if (rule.who == "person" and not subject.person) or (rule.who == "thing" and subject.person):
            continue
        if scope.after and rule.kind in _DATED:
            continue
        match = rule.pattern.match(predicate, skip)
        if not match:
            continue
        start = match.start("a")
        end = _clipped(rule, predicate, match) if rule.clip else match.end("a")
        if end <= start or (start, end) in seen_spans:
            continue
        if rule.kind == "occupation" and not names_trades(predicate[start:end]):
            continue
        seen_spans.add((start, end))
        questions = tuple(scope.of(_fill(t, match, passage, sentence)) for t in rule.templates)
        at = sentence.offset
        yield Candidate(rule.kind, questions, at + start, at + end)


def _clipped(rule: Rule, predicate: str, match: re.Match[str]) -> int:
    start = match.start("a")
    end = min(match.end("a"), clip_clause(predicate, start, MAX_ANSWER_WORDS))
    if rule.kind == "border" and _BORDER_LEFT_OUT.search(predicate[max(start, end - 60) : end + 40]):
        return -1
    if end <= start or rule.kind not in _STOPS:
        return end
    stop = _STOPS[rule.kind].search(predicate, start, end)
    return stop.start() if stop else end


def _fill(template: str, match: re.Match[str], passage: Passage, sentence: Sentence) -> str:
    subject = passage.subject
    values = {k: v for k, v in match.groupdict().items() if v is not None and k != "a"}
    first_verb = sentence.predicate.split(" ", 1)[0]
    past = first_verb in ("was", "were", "had") or first_verb.endswith("ed")
    plural = subject.plural
    values["be0"] = (
        first_verb if first_verb in ("is", "was", "are", "were") else ("were" if plural else "was") if past else "is"
    )
    values["bx"] = values["be0"] if first_verb in ("is", "was", "are", "were") else "is"
    values["wbe"] = "were" if plural else "was"
    values["hb"] = "was" if past else "is"
    values["whw"] = (
        "When"
        if re.match(r"(?:in|from|during|around) (?:the )?(?:\w+[ -])?(?:\d|\w+ century)", match["a"])
        else "Where"
    )
    if "v" in values:
        values["base"] = base_form(values["v"])
    values["do"] = "do" if plural else "does"
    values["dd"] = "did" if values.get("v", "").split(" ")[0].endswith("ed") else values["do"]
    values |= {"name": subject.name, "poss": subject.possessive}
    values.setdefault("be", first_verb)
    return template.format(**values)
