"""Whether a definition is of a person: who is asked for, and as what."""

from __future__ import annotations

import re

_PERSON = re.compile(
    r"(?<!\w)(?:[a-z]+-)?(?:writer|songwriter|screenwriter|filmmaker|watchmaker|actor|singer|player|maker|painter|"
    r"dancer|director|composer|author|poet|footballer|cricketer|lawyer|teacher|philosopher|explorer|soldier|leader|"
    r"ruler|founder|reformer|preacher|officer|engineer|designer|producer|photographer|astronomer|geographer|"
    r"biographer|choreographer|drummer|banker|boxer|swimmer|driver|performer|entertainer|lyricist|"
    r"[a-z]{2,}(?:ologist|icist)|chemist|artist|novelist|economist|activist|journalist|essayist|dramatist|pianist|"
    r"guitarist|violinist|botanist|naturalist|feminist|scientist|satirist|industrialist|cellist|humorist|theorist|"
    r"philanthropist|psychiatrist|moralist|specialist|linguist|politician|physician|musician|mathematician|historian|"
    r"theologian|logician|comedian|magician|statesman|stateswoman|businessman|businesswoman|nobleman|noblewoman|"
    r"clergyman|sculptor|inventor|conductor|architect|athlete|actress|princess|priestess|empress|king|queen|emperor|"
    r"prince|duke|pope|saint|monk|nun|priest|bishop|archbishop|cardinal|rabbi|prophet|apostle|general|admiral|"
    r"president|monarch|pharaoh|sultan|caliph|khan|shah|tsar|chancellor|surgeon|model|rapper|merchant|scholar|critic|"
    r"aviator|pirate|magnate|entrepreneur|polymath|playwright|songwriter|diplomat|aristocrat|model|warlord|warrior|"
    r"martyr|figure|goddess|deity|god|jurist|judge|evangelist|mystic|nurse|critic|orator|courtier|regent|premier|"
    r"wrestler|golfer|racer|gymnast|sprinter|runner|skater|cartoonist|animator|illustrator|translator|commander|"
    r"navigator|conqueror|broadcaster|presenter|host|revolutionary|missionary|socialite|heiress|tycoon|intellectual|"
    r"educator|tlatoani|person|woman|man|sovereign|adventurer|corsair|conquistador|caesar|drummer|bassist|puppeteer|"
    r"jockey|chef|spy|outlaw|gangster|nobleman)\b"
)


_SOMEBODY_WHO = re.compile(r"(?:is|was) (?:an?|the) (?!group|people|person|class|community)[^,.;]{3,60}? who ")


def is_person(phrase: str, predicate: str, text: str) -> bool:
    """Whether `phrase`, the predicate's subject, is somebody. `text` is the passage, for its pronouns."""
    if phrase.split(" ", 1)[0] in ("The", "A", "An") and " the " not in predicate[:40]:
        return False
    # A definition's noun stands before its first clause: "an English poet", not "a play by an English poet".
    noun_part = predicate.replace("one of the ", "", 1).replace("one of ", "", 1)
    noun_part = re.split(r"\b(?:that|which|by|for|about|of|in|on|at|from|with|given)\b|[;.]", noun_part, maxsplit=1)[0]
    if _SOMEBODY_WHO.match(predicate) and phrase[0].isupper():
        return True
    if phrase[0].isupper() and not phrase.startswith("The ") and re.search(r"\. (?:He|She) \w", text):
        return re.search(r"\. It \w", text) is None
    human = _PERSON.search(noun_part.lower()) is not None and not phrase.split(" ")[-1].islower()
    return (human and re.search(r"\b(?:he|she|his|her|who|him|He|She|His|Her)\b", text) is not None) or (
        human
        and phrase.count(" ") in (1, 2, 3)
        and all(w[0].isupper() for w in phrase.split() if len(w) > 3)
        and re.match(r"(?:is|was) an? ", predicate) is not None
    )


# Nobody's trade, though a person's noun.
_NO_TRADE = re.compile(
    r"(?:goddess|god|deity|figure|person|woman|man|saint|apostle|prophet|martyr|aristocrat|nobleman|noblewoman|"
    r"socialite|heiress|feminist|intellectual|moralist|humorist|prince|princess|king|queen|outlaw|pirate|gangster|"
    r"warlord|specialist|polymath|revolutionary|empress|emperor|caesar|sovereign|monarch|conqueror|mystic|adventurer)"
)
_TRADE = re.compile(
    r"(?:statesman|editor|publisher|saxophonist|bandleader|ballerina|professor|academic|trumpeter|organist|golfer|"
    r"astronaut|cosmonaut|archaeologist|academician|columnist|trader|inventor|geologist|physiologist|bodybuilder|"
    r"barrister|printmaker|physician|physicist|technologist|educationist|engraver|conservationist|environmentalist|"
    r"suffragist|abolitionist)"
)


def names_trades(text: str) -> bool:
    """Whether every item of "poet, playwright and theatre director" is what somebody does for a living."""
    for item in re.split(r", and |, | and ", text):
        noun = item.rsplit(" ", 1)[-1]
        if _NO_TRADE.fullmatch(noun) or not (_PERSON.fullmatch(noun) or _TRADE.fullmatch(noun)):
            return False
    return True
