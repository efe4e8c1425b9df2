"""Question rules that need more than a row: the subject as the answer, fronted dates, possessives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.rewriting.qa_grammar import base_form, clip_clause
from pipeline.rewriting.qa_passage import Passage, Sentence
from pipeline.rewriting.qa_rules import MAX_ANSWER_WORDS, Candidate

_SCOPE = (
    r"(?:(?:in|of|on) (?:(?:the )?[A-Z][\w-]*(?:(?: and)? [A-Z][\w-]*)*|the (?:world|universe|human body))"
    r"(?: by (?:\w+ )?[a-z]+)?)"
)
_SUPERLATIVE = re.compile(
    r"(?P<be>is|was|are)(?: also)? (?P<s>the (?:[\w-]+ )?(?:(?:\w+-)?(?:largest|longest|"
    r"highest|oldest|smallest|deepest|tallest|first|last|only|"
    r"northernmost|southernmost|easternmost|westernmost)|(?:\w+-)?most[ -][a-z]+) (?:[a-z-]+ "
    r"){1,5}?"
    + _SCOPE
    + r"|the world's (?:[\w-]+ ){1,4}[a-z]+(?: by (?:\w+ )?[a-z]+)?)(?=[,;]|\.(?= |$)|,? (?:and(?! [A-Z])|with|"
    r"after|who|that|which|from)\b)"
)
_CAPITAL_OF = re.compile(
    r"(?P<be>is|was) (?P<s>the capital(?: and (?:largest|most populous|most populated) city)? of "
    r"(?:the )?[A-Z][\w-]*(?: (?:of |and |the )?[A-Z][\w-]*)*)(?=[,;]|\.(?= |$)|,? (?:and|"
    r"with|in|located|situated|from|which)\b)"
)
_CAPITAL_IS = re.compile(
    r"(?:The|Its) (?P<n>(?:national |administrative )?(?:capital(?: and (?:largest|most "
    r"populous) city)?|largest city|official language|"
    r"highest point|administrative cent(?:er|re)|currency)) is (?P<a>[A-Z][\w’'-]+(?: "
    r"[A-Z][\w’'-]+){0,3})(?=[,.;]| (?:in|with|and|which)\b)"
)
_OWNED = re.compile(
    r"(?:His|Her|Its|Their) (?P<n>(?:(?!was|is|of|and|in|to|that|with)[a-z-]+ ){0,3}?(?:capital|city|town|language|"
    r"religion|currency|mother|father|wife|husband|brother|sister|son|daughter|successor|predecessor|work|novel|poem|"
    r"film|album|book|achievement|discovery|contribution|symbol|motto|headquarters|seat|counterpart|teacher|mentor|"
    r"point|export|industry|system|parents)) (?P<be>is|was|are|were) (?P<a>(?!the (?:\w+-)?(?:largest|most|only|"
    r"first|same|subject|result|basis)\b)(?:(?:the|an?)\b|[A-Z])[^;]*)"
)
_OWNED_INCLUDE = re.compile(
    r"(?P<o>His|Her|Its|Their|Other|Some|Common|Notable|Typical|Prominent|Major|Important|Famous|"
    r"The) (?P<n>(?!other )[a-z][a-z-]*(?: (?!was|is|are|also|can|may|do)[a-z-]+){0,5}) include (?P<a>[^;:]+)"
)
_PERSON_NOUN = re.compile(
    r"(?:father|mother|wife|husband|brother|sister|son|daughter|successor|predecessor|teacher|mentor|uncle|"
    r"grandfather|parents|students?|author|director|founder|president|leader|king|mayor|governor)$"
)
_FRONTED_DEED = re.compile(
    r"(?:also |then )?(?P<v>wrote|won|received|founded|published|invented|discovered|developed|introduced|created|"
    r"built|conquered|defeated|married|moved to|returned to|became|joined|established|designed|led|retired|died|"
    r"emigrated to|signed)(?P<o>(?: .+)?)"
)
_FRONTED_DATE = re.compile(
    r"(?:In|On|Since|During) (?P<a>(?:[A-Z][a-z]+ )?(?:\d{1,2},? )?\d{3,4}|\d{1,2} [A-Z][a-z]+ "
    r"\d{4}), "
)


def reverse(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
    """ "X is the capital of Y" asks for X: the answer is the subject's own name in the passage."""
    subject = passage.subject
    if subject.name.startswith(("a ", "an ")):
        return
    for kind, pattern in (("capital", _CAPITAL_OF), ("superlative", _SUPERLATIVE)):
        match = pattern.match(sentence.predicate)
        if match and match["be"] == "are" and not re.search(r"s (?:in|of|on) |s$", match["s"]):
            return  # "the Han Chinese are the largest ethnic group": neither "is" nor "are" fits the question
        if match:
            answer = subject.name
            at = passage.text.find(answer)
            if at < 0:
                answer = answer.removeprefix("the ")
                at = passage.text.find(answer)
            if at >= 0:
                who = "Who" if subject.person else "What"
                yield Candidate(kind, (f"{who} {match['be']} {match['s']}?",), at, at + len(answer))
            return


_SYMBOL = re.compile(
    r"\b(?:has|with) (?:the )?symbol (?P<s>[A-Z][a-z]?)(?: \([^)]*\))? and (?:its |"
    r"an? )?(?:the )?atomic number (?:is |of )?(?P<n>\d+)\b"
)


def symbol(passage: Passage) -> Iterator[Candidate]:
    """ "It has symbol Te and atomic number 52" asks for both."""
    match = _SYMBOL.search(passage.text, 0, 400)
    if match and "chemical element" in passage.sentences[0].predicate:
        name = passage.subject.name
        forms = (f"What is the chemical symbol of {name}?", f"Which chemical symbol does {name} have?")
        yield Candidate("symbol", forms, match.start("s"), match.end("s"))
        yield Candidate("quantity", (f"What is the atomic number of {name}?",), match.start("n"), match.end("n"))


def fronted(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
    """ "In 1905, he published X" asks when."""
    opening, at = sentence.fronted.removesuffix(", "), sentence.start
    kind, _, rest = opening.partition(" ")
    if kind in ("Located", "Situated") and rest.startswith(("in ", "on ", "at ", "near ", "between ", "along ")):
        be = "are" if passage.subject.plural else "is"
        forms = (f"Where {be} {passage.subject.name} {kind.lower()}?",)
        yield Candidate("place", forms, at + len(kind) + 1, at + len(opening))
    date = _FRONTED_DATE.match(sentence.fronted)
    deed = _FRONTED_DEED.match(sentence.predicate) if date else None
    if not date or not deed:
        return
    end = clip_clause(sentence.predicate, deed.start("o") + 1, 18) if deed["o"] else deed.end("v")
    if end < 0 or (deed["v"] in ("retired", "died") and deed["o"]):
        return
    action = base_form(deed["v"]) + sentence.predicate[deed.end("v") : end].rstrip(".")
    forms = (f"When did {passage.subject.name} {action}?",)
    at = sentence.start + date.start("a")
    yield Candidate("date", forms, at, sentence.start + date.end("a"))


def owned(passage: Passage) -> Iterator[Candidate]:
    """ "Its capital is Maputo", "His works include ..." """
    subject, previous = passage.subject, True
    for sentence in passage.sentences:
        text, owner = sentence.text, sentence.text.split(" ", 1)[0]
        pronoun = {"His": "he", "Her": "she", "Its": "it", "Their": "they"}.get(owner, "")
        if previous and (pronoun in subject.pronouns or owner == "The"):
            capital = _CAPITAL_IS.match(text)
            if capital and not subject.person:
                at = sentence.start + capital.start("a")
                forms = (
                    f"What is the {capital['n']} of {subject.name}?",
                    f"What is {subject.possessive} {capital['n']}?",
                )
                yield Candidate("capital", forms, at, sentence.start + capital.end("a"))
        if previous and pronoun in subject.pronouns:
            owned = _OWNED.match(text)
            if owned:
                end = clip_clause(text, owned.start("a"), MAX_ANSWER_WORDS)
                who = "Who" if _PERSON_NOUN.search(owned["n"]) else "What"
                if end > 0:
                    forms = (f"{who} {owned['be']} {subject.possessive} {owned['n']}?",)
                    yield Candidate("property", forms, sentence.start + owned.start("a"), sentence.start + end)
            listed = _OWNED_INCLUDE.match(text)
            if listed:
                yield from _list(passage, sentence, listed, f"{subject.possessive} {listed['n']}")
        elif not pronoun:
            listed = _OWNED_INCLUDE.match(text)
            if listed and owner != "The" and re.search(r" of (?:the )?(?:[A-Z]|\w+s\b)", f" {listed['n']}"):
                yield from _list(passage, sentence, listed, f"{owner.lower()} {listed['n']}")
        previous = bool(sentence.predicate) or (previous and bool(pronoun))


def _list(passage: Passage, sentence: Sentence, match: re.Match[str], noun: str) -> Iterator[Candidate]:
    end = clip_clause(sentence.text, match.start("a"), MAX_ANSWER_WORDS)
    forms = (f"What are {noun}?",) if noun.startswith("some ") else (f"What do {noun} include?",)
    if end > 0:
        yield Candidate("list", forms, sentence.start + match.start("a"), sentence.start + end)
