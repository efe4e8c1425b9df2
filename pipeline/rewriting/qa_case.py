"""Whether a subject keeps its capital inside a sentence: "What is Estonia?" but "What is remote sensing?".

Titles and first words are capitalised either way, so the passage is asked for evidence: the word elsewhere, in
lower case or with a capital that no sentence's start explains; then related words ("commercial" for "Commerce");
then what the definition says it is.
"""

from __future__ import annotations

import re

_PLAIN_WORD = re.compile(r"[A-Z][a-z]+(?:[-–'’][\w’']+)*")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# A capital after one of these says nothing: a sentence, a quotation or a bracket begins.
_MIDDLE = re.compile(r"(?<=[\w,;)\]”’'–] )[^\W\d_]+(?:['’-][^\W_]+)*")
_PROPER_ADJECTIVE = re.compile(
    r"(?:.+(?:[^m]an|ian|ean|ese|nish|lish|dish|kish|tish|esque)|.+[’']s|.*\d.*|.+[–-][A-Z].*|Roman|German|Greek|"
    r"French|Dutch|Swiss|Welsh|Czech|Thai|Turkic|Slavic|Celtic|Baltic|Vedic|Germanic|Hispanic|Arabic|Islamic|Arab|"
    r"Norse|Gothic|Byzantine|Renaissance|Irish|Jewish|Hindu|Zulu|Catholic|Protestant|Sunni|Shia|Inca|Maya|Aztec|"
    r"Tudor|Viking)"
)
_ORDINARY_AN = re.compile(
    r"(?:human|urban|median|ocean|organ|clean|vegan|pagan|orphan|suburban|caravan|veteran|artisan)"
)
# What bears a name of its own.
_NAMED = re.compile(
    r"\b(?:city|cities|town|village|municipality|commune|country|capital|state|republic|province|prefecture|region|"
    r"county|island|islands|archipelago|peninsula|continent|river|lake|desert|mountain|volcano|sea|kingdom|empire|"
    r"dynasty|genus|language|dialect|novel|novella|film|album|song|play|poem|epic|opera|painting|band|god|goddess|"
    r"deity|titan|company|corporation|conglomerate|manufacturer|brand|website|software|encyclopedia|newspaper|"
    r"magazine|organization|organisation|agency|planet|moon|satellite|star|galaxy|holiday|festival|feast|month|"
    r"religion|denomination|caste|ethnic|people|peoples|nation|tribe|civilization|civilisation|supercontinent|"
    r"division or phylum|scripture|character|franchise|series|era|eon|battle|fortress|temple|palace|university|"
    r"neighborhood|neighbourhood|district|area of London|satrapy|sultanate|caliphate|territory|superfamily|sura|poet)\b"
)
_LATIN_GROUP = re.compile(r".+(?:idae|inae|aceae|iformes|ptera|phyta|mycota|oidea|odonta|mycetes|ozoa|thae)$")
_COMMON = re.compile(
    r".+(?:al|ive|ar|ous|ics|ology|ography|tion|sion|ity|ment|ness|ary|ing|ed|metry|ance|ence|ship|hood|graphy|pathy|"
    r"gram|gen|ine|ide|ium|itis|osis|emia|ure|age|erce|ism|phobia|therapy|nomy|ery|ware|work|ball|craft|wood|stone|"
    r"water|food|line|light)s?"
)
_CLAUSE = re.compile(r"\b(?:that|which|who|of|for|in|from|belonging|native)\b")
_FAITH = re.compile(r"\b(?:religio|Christ|Islam|Hindu|Buddh|Jewish|Jud|church)")
_STUDY = re.compile(r"is (?:an?|the|one of the) (?:study|branch|process|act|practice|art|use|chemical element)")
_SUBSTANCE = re.compile(
    r"^(?:is|are) (?:[\w, ’'()-]* )?(?:compound|hydrocarbon|alcohol|carbohydrate|alkane|sterol|liquor|beverage|food|"
    r"foods|fabric|timber|gemstone|rock|alloy|plant|vegetable|spice|fruit|dish|sauce|meat|color|colour|emotion|"
    r"powder|fluid|material|force|confection|textile|livestock|fungi|tendency|ability|pathway|movement of)\b"
)
_BINOMIAL = re.compile(
    r"[A-Z][a-z]+(?:us|a|is|um|es|ys|ix|yx|ex|os|on|er) [a-z]+(?:us|a|is|um|i|ae|ens|es|ans|os|rum|er|or|ax|ix|on)"
)
_ORGANISM = re.compile(
    r"\b(?:species|bacterium|fungus|mushroom|plant|tree|shrub|herb|moth|fly|worm|virus|parasite|yeast|nematode|"
    r"mosquito)\b"
)
_LINKED = re.compile(r"(?:[a-z]+ )?(?:of|in|and|between|during|on) ")  # "economy of India"
_WORK = re.compile(
    r"(?:is|was) (?:an?|the) [^.;]*?\b(?:novel|novella|play|film|album|song|poem|painting|opera|book|series|tale|"
    r"story|essay|manga|treatise|franchise)\b"
)


def mid_sentence(phrase: str, title: str, text: str, predicate: str) -> str:
    """The subject inside a sentence, article and common nouns in lower case; "" where nothing decides."""
    first, _, rest = phrase.partition(" ")
    if first in ("The", "A", "An"):
        return phrase if title.startswith(first + " ") else first.lower() + " " + rest
    if not _PLAIN_WORD.fullmatch(first):
        return phrase
    if rest != rest.lower() and (_WORK.match(predicate) or not _LINKED.match(rest)):
        return phrase
    if _BINOMIAL.fullmatch(phrase) and _ORGANISM.search(predicate):
        return phrase
    common = _is_common(first, rest, text, predicate)
    if common is None:
        return ""
    return first[0].lower() + phrase[1:] if common else phrase


def _is_common(first: str, rest: str, text: str, predicate: str) -> bool | None:
    """Whether a capitalised first word is a common noun; None where neither text nor definition says."""
    lowered = first.lower()
    forms = {lowered, lowered + "s", lowered.removesuffix("s"), lowered.removesuffix("es")}
    if lowered.endswith(("'s", "’s")):
        return None if not rest else lowered[:-2] in _words(text)
    present = _words(text)
    if forms & present or " chemical element" in predicate[:30]:
        return True
    middle = set(_MIDDLE.findall(text))
    if middle & {f[0].upper() + f[1:] for f in forms}:
        return False
    if _LATIN_GROUP.fullmatch(first) or (_PROPER_ADJECTIVE.fullmatch(first) and not _ORDINARY_AN.fullmatch(lowered)):
        return False
    if rest:
        return True
    kind = _CLAUSE.split(predicate, maxsplit=1)[0]  # "is a city", "are evergreen trees"
    if _NAMED.search(kind):
        return False
    if predicate.startswith(("are ", "were ")) and first.endswith("s"):
        return True
    if first.endswith("ism") and _FAITH.search(predicate):
        return False
    stem = first[:5] if len(first) > 6 else ""
    if stem and any(w.startswith(stem) for w in middle):
        return False
    if stem and any(w.startswith(stem.lower()) for w in present):
        return True
    return True if _STUDY.match(predicate) or _COMMON.fullmatch(lowered) or _SUBSTANCE.search(predicate[:90]) else None


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text))
