"""What the subject is, what else it is called, and what short forms stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.rewriting.qa_passage import Passage, Sentence
from pipeline.rewriting.qa_rules import BE, Candidate
from pipeline.rewriting.qa_scope import Scope

_DEFINED = re.compile(rf"{BE} (?P<a>(?:an?|the|one of|any|several|a group|two|three|four) .+)")
_DEFINED_PLURAL = re.compile(
    r"(?P<be>are|were) (?P<a>(?!\w+(?:ly|ed|ing|wn) |(?:not|also|found|used|made|among|"
    r"now|native|common|members|usually|often|one)\b)[a-z].+)"
)
_DEFINED_MASS = re.compile(
    r"(?P<be>is) (?P<a>(?!its|their|able|capable|similar|different|equal|important|present|due|"
    r"part|located|common|native|used|found|made|known|\w+ly |\w+ed |not )[a-z-]+(?: "
    r"[a-z-]+){0,3} (?:that|which|of|for|to|in|caused|used|made|between) .+)"
)
# A definition keeps its relative clause; it ends at the next main clause.
_DEFINITION_END = re.compile(
    r"[;:]|(?<![\dCDE]) – |—| — |, and (?:is|was|has|had|are|were|it|its|one of|served|became|also)\b|, (?:but|"
    r"although|though|while|whereas|so|with|as|because|since|considered|regarded|widely|often|best|known|especially|"
    r"including|such|making)\b|, (?:is|was|are|were|has|had)\b| and (?:is|was|are|were|has|had) |, (?:who|which|"
    r"where|whose)\b"
)
_OPEN_RELATIVE = re.compile(r" (?:that|which|who|where)\b[^,]*,")
_ITS_VERB = re.compile(r", (?:is|was|are|were|has|had)\b")
# "surfaces, such as strata, that are bent"; "a group of small, often colorful, passerine birds"
_GOES_ON = re.compile(
    r", (?:such as|including|especially) [^.;]*?, (?:that|which) |, (?:often|usually|sometimes|typically) [\w-]+, [a-z]"
)
_ONE_MORE = re.compile(r", and (?:one of|became|served|also) ")
_DEFINITION_FORMS = ("What {be} {name}?", "How would you define {name}?", "How {be} {name} defined?")
_ALIAS = re.compile(
    r"(?P<k>also (?:known|called|referred to|spelled)|sometimes (?:called|known|referred to)|commonly (?:known|"
    r"called|referred to)|officially|formerly(?: known)?|better known|popularly known|often (?:called|known)|"
    r"also)(?: as)?(?: simply)? (?P<a>[^,;]+?)(?= (?:and|or) (?:also|sometimes|commonly|formerly|often|historically|"
    r"originally|previously|known|simply|officially|by|in|less|more|its|his|her|their)\b| (?:since|during|until|"
    r"in (?:some|many|the|parts|contrast)|in(?= [A-Z])|after \d)\b|$)"
)
_NO_ALIAS = re.compile(
    r"(?:known|spelt|spelled|romani[sz]ed|sometimes|colloquial(?:ly)?|called|referred|born|in|from|by|as|simply|just|"
    r"occasionally|written|abbreviated|incorrectly|commonly|often|a|the son)\b"
)
_NOT_A_NAME = re.compile(r" (?:by|when|for short|among|outside|within|after|before|as|to) ")
_ASIDE = re.compile(
    r"(?:also|or|formerly|abbreviated|commonly|known|often|sometimes|historically|and|is|was|are)\b|"
    r"[^,]{0,40} (?:is|was) "
)
_ACRONYM = re.compile(r"((?:[\w-]+ ){1,7}[\w-]+) \(((?:[A-Z]{2,6}))\)")


def definition(passage: Passage) -> Iterator[Candidate]:
    first, subject = passage.sentences[0], passage.subject
    pattern = _DEFINED.match(first.predicate)
    if not pattern and subject.plural:
        pattern = _DEFINED_PLURAL.match(first.predicate)
    if not pattern and not subject.plural and not subject.person:
        pattern = _DEFINED_MASS.match(first.predicate)
    if subject.plural and subject.name.startswith(("a ", "an ")):
        return  # "A stimulant are ..."
    if not pattern or (subject.plural and subject.name[0].isupper() and not subject.name.endswith("s")):
        return  # "What are Maya?"
    start = pattern.start("a")
    stop = _DEFINITION_END.search(first.predicate, start + 8)
    if stop and _OPEN_RELATIVE.search(first.predicate, start, stop.start()) and _ITS_VERB.match(stop.group()):
        return  # "in which the normal functioning tissue, or parenchyma, is replaced"
    if stop and _GOES_ON.match(first.predicate, stop.start()):
        stop = _DEFINITION_END.search(first.predicate, stop.end())
    if stop and _ONE_MORE.match(first.predicate, stop.start()):
        answer = first.predicate[start : stop.start()]
        if ", " in answer and " and " not in answer:
            return  # "a paleontologist, biologist, historian" lacks its "and" without what follows
    answer = (first.predicate[start : stop.start()] if stop else first.predicate[start:]).rstrip(" .,")
    values = {"be": pattern["be"], "name": subject.name}
    if subject.person:
        forms = ("Who {be} {name}?", "Can you tell me who {name} {be}?")
    elif subject.name.startswith(("a ", "an ")) or (subject.name.islower() and not subject.name.startswith("the ")):
        forms = _DEFINITION_FORMS if pattern["be"] in ("is", "are") else _DEFINITION_FORMS[:1]
    else:
        forms = ("What {be} {name}?", "Can you tell me what {name} {be}?")
        if not re.match(r"the |[A-Z]\S* (?:\S+ )*[A-Z]", subject.name):
            forms = forms[:1]  # a common noun in capitals, perhaps: let it stand alone
    questions = [form.format(**values) for form in forms]
    if passage.context:
        questions = [Scope(before=f"In {passage.context}, ").of(questions[0])]
    if len(answer.split()) <= 3:
        questions = [q for q in questions if "define" not in q] or questions[:1]  # "a chemical element" defines nothing
    at = first.offset + start
    yield Candidate("definition", tuple(questions), at, at + len(answer))


def aliases(passage: Passage) -> Iterator[Candidate]:
    first, subject = passage.sentences[0], passage.subject
    for part in passage.apposition.split(", "):
        match = _ALIAS.match(part.strip())
        if not match:
            continue
        answer = match["a"].strip()
        at = first.text.find(answer)
        if (
            at < 0
            or answer.startswith((subject.name + " and", subject.name + " or"))
            or _NO_ALIAS.match(answer.lower())
            or _NOT_A_NAME.search(answer)
        ):
            continue
        be = first.predicate.split(" ", 1)[0]
        if be not in ("is", "was", "are", "were"):
            be = "are" if subject.plural else "is"
        if match["k"].startswith("official"):
            if first.text[at + len(answer) :].startswith(", ") and not _ASIDE.match(first.text, at + len(answer) + 2):
                continue  # "the Special District of Science, Technology and Innovation of Medellín"
            forms: tuple[str, ...] = (
                "What {be} the official name of {name}?",
                "What {be} {poss} official name?",
            )
        elif match["k"].startswith("formerly"):
            forms = ("What was {name} formerly known as?",)
        else:
            forms = (
                "What {be} {name} also known as?",
                "What is another name for {name}?",
                "By what other name {be} {name} known?",
            )
        scope = Scope(before=f"In {passage.context}, " if passage.context else "")
        filled = tuple(scope.of(f.format(be=be, name=subject.name, poss=subject.possessive)) for f in forms)
        yield Candidate("alias", filled, first.start + at, first.start + at + len(answer))


def acronyms(sentence: Sentence) -> Iterator[Candidate]:
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
                forms = (
                    f"What does {short} stand for?",
                    f"What is {short} short for?",
                    f"What does the abbreviation {short} mean?",
                )
                yield Candidate("acronym", forms, at, sentence.start + match.end(1))
                break
