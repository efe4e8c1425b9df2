"""What every question-answer pair must pass, whoever wrote it: rules here, a language model elsewhere.

Each check can be repeated by hand on the output: that is what makes a rewritten corpus trustworthy.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_PRONOUN = re.compile(
    r"\b(?:he|she|it|they|him|them|his|her|hers|its|their|this|these|those|i|we|our)\b", re.IGNORECASE
)
_BAD_END = re.compile(
    r"(?:^|[\s(])(?:a|an|the|and|or|of|in|on|at|by|for|to|with|from|as|is|was|are|were|that|which|who|its|his|"
    r"her|their|but|both|between|such|into|than|also|not|only|most|more|very|primarily|mainly|largely|partly|mostly|"
    r"especially|particularly|chiefly|and \w+ing)$|[,;:–(\[“-]$",
    re.IGNORECASE,
)
_BAD_START = re.compile(r"(?:and|or|but|of|is|was|are|were|that|which|who)\b|[,;:.)\]”–]", re.IGNORECASE)
_FUNCTION = re.compile(  # besides these a question must say something
    r"(?:what|who|whom|when|where|which|why|how|is|was|are|were|did|do|does|the|an?|of|in|on|at|by|for|to|with|"
    r"from|as|can|you|tell|me|would|define|defined)",
    re.IGNORECASE,
)

_POINTS_BACK = re.compile(  # the answer needs the passage: "the capital of the country", "such a case"
    r"\bthe (?:country|city|state|river|region|island|province|nation|continent|area|company|lake|sea|town|district|"
    r"team|band|group|film|novel|book|war|family|species|genus|event|empire|kingdom|university|church|army|fleet|"
    r"nation|same)(?:[’']s)?(?=$|[,;.]| (?:and|in|from|where|"
    r"to|with|by|is|was|as|for|that|during|at)\b)|\bsuch an?\b|\b(?:this|these|namesake)\b|\bthat (?:time|year|"
    r"period)\b|^(?:other|another|similar|additional|further) "
)

QUESTION_WORDS = (3, 40)
ANSWER_WORDS = (1, 60)


def check_pair(question: str, answer: str, source: str, name: str = "") -> str:
    """The reason code of the first check that fails, "" where the pair passes.

    `source` is what the pair must be grounded in; `name` (the subject's own wording) may hold words that look
    like pronouns ("It", a novel). Codes: answer_not_in_source, answer_length, question_length,
    answer_malformed, answer_points_back, question_malformed, unresolved_pronoun, question_not_grounded,
    answer_in_question, empty_question.
    """
    if not answer.strip() or answer not in source:
        return "answer_not_in_source"
    if not ANSWER_WORDS[0] <= len(answer.split()) <= ANSWER_WORDS[1]:
        return "answer_length"
    if not QUESTION_WORDS[0] <= len(question.split()) <= QUESTION_WORDS[1]:
        return "question_length"
    if not well_formed(answer) or _BAD_START.match(answer) or _BAD_END.search(answer):
        return "answer_malformed"
    if answer.endswith(('."', ".”")) or (answer.startswith("both ") and " and " not in answer):
        return "answer_malformed"
    if _POINTS_BACK.search(answer):
        return "answer_points_back"
    body = question[:-1]
    if not question.endswith("?") or "?" in body or not question[:1].isupper() or not well_formed(body):
        return "question_malformed"
    if re.search(r"[,;:(–-]$|\b(\w+) \1\b", body):
        return "question_malformed"
    if _PRONOUN.search(question.replace(name, " ") if name else question):
        return "unresolved_pronoun"
    if not grounded(question, source):
        return "question_not_grounded"
    if _contains(question, answer):
        return "answer_in_question"
    if all(_FUNCTION.fullmatch(w) for w in _WORD.findall(question)):
        return "empty_question"
    return ""


def well_formed(text: str) -> bool:
    """Brackets and quotation marks balance, no doubled or odd spacing."""
    depth = 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if depth < 0:
            return False
    if depth or text.count('"') % 2 or text.count("“") != text.count("”"):
        return False
    return text == text.strip() and "  " not in text and "\n" not in text and " ," not in text and " ." not in text


def grounded(question: str, source: str) -> bool:
    """Every number and every capitalised word of the question (its first word aside) stands in the source."""
    if any(number not in source for number in _NUMBER.findall(question)):
        return False
    names = [w for w in _WORD.findall(question)[1:] if w[0].isupper()]
    return not names or set(names) <= set(_WORD.findall(source))


def _contains(question: str, answer: str) -> bool:
    words = [w.lower() for w in _WORD.findall(answer)]
    return not words or f" {' '.join(words)} " in f" {' '.join(w.lower() for w in _WORD.findall(question))} "
