"""From a passage to candidate pairs: the table's rules and the few that need more than a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.rewriting.qa_passage import Passage, Sentence
from pipeline.rewriting.qa_rules import BE, RULES, Rule, base_form, clip_clause

MAX_ANSWER_WORDS = 40


@dataclass(frozen=True)
class Candidate:
    """A question (one of several wordings) whose answer is `passage.text[start:end]`."""

    kind: str
    questions: tuple[str, ...]
    start: int
    end: int


_DEFINED = re.compile(
    rf"{BE} (?P<a>(?:an?|the|one of|any|several|a group|two|three|four) .+)"
)
_DEFINED_PLURAL = re.compile(r"(?P<be>are|were) (?P<a>(?!\w+(?:ly|ed|ing|wn) |(?:not|also|found|used|made|among|now|native|common|members|usually|often|one)\b)[a-z].+)")
_DEFINED_MASS = re.compile(r"(?P<be>is) (?P<a>(?!able|capable|similar|different|equal|important|present|due|part|located|common|native|used|found|made|known|\w+ly |\w+ed |not )[a-z-]+(?: [a-z-]+){0,3} (?:that|which|of|for|to|in|caused|used|made|between) .+)")
# A definition keeps its relative clause; it ends at the next main clause.
_DEFINITION_END = re.compile(
    r"[;:]| – | — |, and (?:is|was|has|had|are|were|it|its|one of|served|became|also)\b|, (?:but|although|though|while|whereas|so|with|"
    r"as|because|since|despite|after|before|considered|regarded|widely|often|best|known|especially|including|such|making)\b"
    r"|, (?:is|was|are|were|has|had)\b| and (?:is|was|are|were|has|had) |, (?:who|which|where|whose)\b"
)
_ACRONYM = re.compile(r"((?:[\w-]+ ){1,7}[\w-]+) \(((?:[A-Z]{2,6}))\)")
_ALIAS = re.compile(
    r"(?P<k>also (?:known|called|referred to|spelled)|sometimes (?:called|known|referred to)|commonly (?:known|called|referred to)|"
    r"officially|formerly(?: known)?|better known|popularly known|often (?:called|known)|also)(?: as)? (?P<a>[^,;]+?)(?= and (?:also|sometimes|commonly|formerly|often)\b|$)"
)
_OWNED = re.compile(
    r"(?:His|Her|Its|Their) (?P<n>(?!name )[a-z][a-z-]*(?: (?!was|is|of|and|in|to|that|with)[a-z-]+){0,3}(?: of the [a-z]+)?) "
    r"(?P<be>is|was|are|were) (?P<a>(?:the|an?|[A-Z]|called|named)[^;]*)"
)
_OWNED_INCLUDE = re.compile(
    r"(?P<o>His|Her|Its|Their|Other|Some|Common|Notable|Typical|Prominent|Major|Important|Famous|The) (?P<n>[a-z][a-z-]*(?: (?!was|is|are)[a-z-]+){0,5}) include "
    r"(?P<a>[^;:]+)"
)
_CAPITAL_IS = re.compile(
    r"(?:The|Its) (?P<n>(?:national |administrative )?(?:capital(?: and (?:largest|most populous) city)?|largest city|official language|"
    r"highest point|administrative cent(?:er|re)|currency)) is (?P<a>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){0,3})(?=[,.;]| (?:in|with|and|which)\b)"
)
_CAPITAL_OF = re.compile(
    r"(?P<be>is|was) (?P<s>the capital(?: and (?:largest|most populous|most populated) city)? of "
    r"(?:the )?[A-Z][\w-]*(?: (?:of |and |the )?[A-Z][\w-]*)*)(?=[,;]|\.(?= |$)|,? (?:and|with|in|located|situated|from|which)\b)"
)
_FRONTED_DEED = re.compile(
    r"(?:also |then )?(?P<v>wrote|won|received|founded|published|invented|discovered|developed|introduced|created|built|conquered|"
    r"defeated|married|moved to|returned to|became|joined|established|designed|led|retired|died|emigrated to|signed)"
    r"(?P<o>(?: .+)?)"
)
_FRONTED_DATE = re.compile(r"(?:In|On|Since|During) (?P<a>(?:[A-Z][a-z]+ )?(?:\d{1,2},? )?\d{3,4}|\d{1,2} [A-Z][a-z]+ \d{4}), ")
_PERSON_NOUN = re.compile(
    r"(?:father|mother|wife|husband|brother|sister|son|daughter|successor|predecessor|teacher|mentor|uncle|grandfather|"
    r"parents|students?|author|director|founder|president|leader|king|mayor|governor)$"
)
_ADVERB = re.compile(r"(?:also|later|then|typically|usually|often|generally|first|primarily|mainly|subsequently|eventually) ")
_SCOPE = r"(?:(?:in|of|on) (?:(?:the )?[A-Z][\w-]*(?: [A-Z][\w-]*)*|the (?:world|universe|human body)))"
_SUPERLATIVE = re.compile(
    r"(?P<be>is|was|are)(?: also)? (?P<s>the (?:[\w-]+ )?(?:(?:\w+-)?(?:largest|longest|highest|oldest|smallest|deepest|tallest|first|last|only|"
    r"northernmost|southernmost|easternmost|westernmost)|(?:\w+-)?most[ -][a-z]+) (?:[a-z-]+ ){1,5}?" + _SCOPE +
    r"|the world's (?:[\w-]+ ){1,4}[a-z]+)(?=[,;]|\.(?= |$)|,? (?:and|with|by|after|who|that|which|from)\b)"
)
_DEFINITION_FORMS = ("What {be} {name}?", "How would you define {name}?", "How {be} {name} defined?")


def candidates(passage: Passage) -> Iterator[Candidate]:
    """Every pair that the rules see, in the order of the passage."""
    yield from _definition(passage)
    yield from _aliases(passage)
    for sentence in _with_relative(passage):
        yield from _acronyms(sentence)
        if sentence.predicate:
            yield from _from_rules(passage, sentence)
            yield from _reverse(passage, sentence)
            if sentence.fronted:
                yield from _fronted(passage, sentence)
    yield from _owned(passage)


def _with_relative(passage: Passage) -> Iterator[Sentence]:
    """The sentences, and after the first the relative clause of a person's definition ("a poet who wrote ...")."""
    first = passage.sentences[0]
    yield first
    before, who, after = first.predicate.partition(" who ")
    if passage.subject.person and who and "," not in before[-30:].replace(", and", ""):
        yield replace(first, predicate=after, first=False)
    yield from passage.sentences[1:]


def _offset(sentence: Sentence) -> int:
    """Where the predicate starts in the passage (it is a suffix of its sentence)."""
    return sentence.start + len(sentence.text) - len(sentence.predicate)


def _definition(passage: Passage) -> Iterator[Candidate]:
    first, subject = passage.sentences[0], passage.subject
    pattern = _DEFINED.match(first.predicate)
    if not pattern and subject.plural:
        pattern = _DEFINED_PLURAL.match(first.predicate)
    if not pattern and not subject.plural and not subject.person:
        pattern = _DEFINED_MASS.match(first.predicate)
    if not pattern:
        return
    start = pattern.start("a")
    stop = _DEFINITION_END.search(first.predicate, start + 8)
    answer = (first.predicate[start : stop.start()] if stop else first.predicate[start:]).rstrip(" .,")
    values = {"be": pattern["be"], "name": subject.name}
    if subject.person:
        forms = ("Who {be} {name}?", "Can you tell me who {name} {be}?")
    elif subject.plural or subject.name.startswith(("a ", "an ")) or subject.name.islower():
        forms = _DEFINITION_FORMS if pattern["be"] in ("is", "are") else _DEFINITION_FORMS[:1]
    else:
        forms = ("What {be} {name}?", "Can you tell me what {name} {be}?")
        if not re.match(r"the |[A-Z]\S* (?:\S+ )*[A-Z]", subject.name):
            forms = forms[:1]  # a common noun in capitals, perhaps: let it stand alone
    questions = [form.format(**values) for form in forms]
    if passage.context:
        questions = [f"In {passage.context}, {q[0].lower()}{q[1:]}" for q in questions[:1]]
    at = _offset(first) + start
    yield Candidate("definition", tuple(questions), at, at + len(answer))


def _aliases(passage: Passage) -> Iterator[Candidate]:
    first, subject = passage.sentences[0], passage.subject
    for part in passage.apposition.split(", "):
        match = _ALIAS.match(part.strip())
        if not match:
            continue
        answer = match["a"].strip()
        at = first.text.find(answer)
        if at < 0 or answer.lower().startswith(("known", "a ", "the son", "spelled", "called", "referred", "born", "in ", "from ")):
            continue
        be = first.predicate.split(" ", 1)[0]
        if match["k"].startswith("official"):
            forms: tuple[str, ...] = ("What {be} the official name of {name}?", "What {be} {poss} official name?")
        elif match["k"].startswith("formerly"):
            forms = ("What was {name} formerly known as?",)
        else:
            forms = ("What {be} {name} also known as?", "What is another name for {name}?", "By what other name {be} {name} known?")
        filled = tuple(f.format(be=be, name=subject.name, poss=subject.possessive) for f in forms)
        yield Candidate("alias", filled, first.start + at, first.start + at + len(answer))


def _acronyms(sentence: Sentence) -> Iterator[Candidate]:
    if "(" not in sentence.text:
        return
    for match in _ACRONYM.finditer(sentence.text):
        phrase, short = match[1], match[2]
        tokens = phrase.split(" ")
        for size in range(2, len(tokens) + 1):  # the shortest tail whose initials spell it
            tail = tokens[-size:]
            content = [w for w in tail if w.lower() not in ("of", "and", "the", "for", "in", "on", "to", "de", "a")]
            initials = "".join(part[0] for w in content for part in w.split("-") if part)
            if initials.upper() == short and tail[0] == content[0]:
                start = match.end(1) - len(" ".join(tail))
                at = sentence.start + start
                forms = (f"What does {short} stand for?", f"What is {short} short for?", f"What does the abbreviation {short} mean?")
                yield Candidate("acronym", forms, at, sentence.start + match.end(1))
                break


def _clipped(predicate: str, match: re.Match[str]) -> int:
    return min(match.end("a"), clip_clause(predicate, match.start("a"), MAX_ANSWER_WORDS))


def _from_rules(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
    subject, predicate = passage.subject, sentence.predicate
    seen_spans: set[tuple[int, int]] = set()
    adverb = _ADVERB.match(predicate)
    skip = adverb.end() if adverb else 0
    for rule in RULES:
        if rule.first_only and not sentence.first or rule.gate and rule.gate not in predicate:
            continue
        if rule.who == "person" and not subject.person or rule.who == "thing" and subject.person:
            continue
        match = rule.pattern.match(predicate, skip)
        if not match:
            continue
        start = match.start("a")
        end = _clipped(predicate, match) if rule.clip else match.end("a")
        if end <= start or (start, end) in seen_spans:
            continue
        seen_spans.add((start, end))
        questions = tuple(q for q in (_fill(t, rule, match, passage, sentence) for t in rule.templates) if q)
        at = _offset(sentence)
        yield Candidate(rule.kind, questions, at + start, at + end)


def _fill(template: str, rule: Rule, match: re.Match[str], passage: Passage, sentence: Sentence) -> str:
    subject = passage.subject
    values = {k: v for k, v in match.groupdict().items() if v is not None and k != "a"}
    first_verb = sentence.predicate.split(" ", 1)[0]
    past = first_verb in ("was", "were", "had") or first_verb.endswith("ed")
    plural = subject.plural
    values["be0"] = first_verb if first_verb in ("is", "was", "are", "were") else ("were" if plural else "was") if past else "is"
    values["bx"] = values["be0"] if first_verb in ("is", "was", "are", "were") else "is"
    values["hb"] = "was" if past else "is"
    values["whw"] = "When" if re.match(r"(?:in|from|during|around) (?:the )?(?:\w+[ -])?(?:\d|\w+ century)", match["a"]) else "Where"
    if "v" in values:
        values["base"] = base_form(values["v"])
    values["do"] = "do" if plural else "does"
    values["dd"] = "did" if values.get("v", "").split(" ")[0].endswith("ed") else values["do"]
    values |= {"name": subject.name, "poss": subject.possessive}
    values.setdefault("be", first_verb)
    return template.format(**values)


def _reverse(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
    """ "X is the capital of Y" asks for X: the answer is the subject's own name in the passage."""
    subject = passage.subject
    if subject.name.startswith(("a ", "an ")):
        return
    for kind, pattern in (("capital", _CAPITAL_OF), ("superlative", _SUPERLATIVE)):
        match = pattern.match(sentence.predicate)
        if match:
            answer = subject.name
            at = passage.text.find(answer)
            if at < 0 and answer.startswith("the "):
                at = passage.text.find("T" + answer[1:])
            if at >= 0:
                who = "Who" if subject.person else "What"
                yield Candidate(kind, (f"{who} {match['be']} {match['s']}?",), at, at + len(answer))
            return


def _fronted(passage: Passage, sentence: Sentence) -> Iterator[Candidate]:
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
    if end < 0 or deed["v"] in ("retired", "died") and deed["o"]:
        return
    action = base_form(deed["v"]) + sentence.predicate[deed.end("v") : end].rstrip(".")
    forms = (f"When did {passage.subject.name} {action}?",)
    at = sentence.start + date.start("a")
    yield Candidate("date", forms, at, sentence.start + date.end("a"))


def _owned(passage: Passage) -> Iterator[Candidate]:
    """ "Its capital is Maputo", "His works include ..." """
    subject, previous = passage.subject, True
    for sentence in passage.sentences:
        text, owner = sentence.text, sentence.text.split(" ", 1)[0]
        pronoun = {"His": "he", "Her": "she", "Its": "it", "Their": "they"}.get(owner, "")
        if previous and (pronoun in subject.pronouns or owner == "The"):
            capital = _CAPITAL_IS.match(text)
            if capital and not subject.person:
                at = sentence.start + capital.start("a")
                forms = (f"What is the {capital['n']} of {subject.name}?", f"What is {subject.possessive} {capital['n']}?")
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
            if listed and owner != "The" and " of " in f" {listed['n']} ":
                yield from _list(passage, sentence, listed, f"{owner.lower()} {listed['n']}")
        previous = bool(sentence.predicate) or previous and bool(pronoun)


def _list(passage: Passage, sentence: Sentence, match: re.Match[str], noun: str) -> Iterator[Candidate]:
    end = clip_clause(sentence.text, match.start("a"), MAX_ANSWER_WORDS)
    forms = (f"What are {noun}?",) if noun.startswith("some ") else (f"What do {noun} include?",)
    if end > 0:
        yield Candidate("list", forms, sentence.start + match.start("a"), sentence.start + end)
