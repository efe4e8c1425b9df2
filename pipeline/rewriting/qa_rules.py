"""The question rules as a table: what a predicate must look like, what is asked, which span of it answers.

Every rule reads a sentence whose subject is the passage's subject, so `{name}` can stand for it. Adding a rule is
adding a row. Rules that need more than a pattern are the functions in `qa_special`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
YEAR = r"\d{3,4}(?: (?:BCE|BC|AD|CE))?"
DATE = (
    rf"(?:(?:early |mid-|late )?(?:\d{{1,2}} )?{MONTH} (?:\d{{1,2}}, )?{YEAR}|{MONTH} \d{{1,2}}(?! ?,? ?\d)"
    rf"|the (?:(?:early|late|mid)[ -])?(?:\w+[- ])?\w+ century(?: (?:BCE|BC|AD|CE))?|the \d{{3,4}}s|{YEAR}"
    r")(?![\w%–-])(?! (?:people|km|miles|m|ft|kg|species|members|days|of)\b)"
)
# A name, or several: "J. R. R. Tolkien", "Lillian Gish and Frank E. Woods".
_CAP = r"(?:[A-Z][\w’'-]*\.?|[A-Z]\.)"
_NAME = rf"{_CAP}(?: (?:(?:of|de|da|di|la|le|von|van|der|den|du|bin|ibn|al|the) ){{0,2}}{_CAP}){{0,5}}"
_AGENT_END = rf"(?:the |an? )?(?:[a-z-]+ |[A-Z][\w-]+ (?=[a-z])){{0,4}}{_NAME}(?:(?:, {_NAME})*,? and {_NAME})?"
BE = r"(?P<be>is|was|are|were)(?: also)?"
_ADV = r"(?:(?:first|originally|officially|formally|initially|also|later|then|mainly|primarily|\w+ly) )?"

_MADE = (
    "founded|established|formed|created|built|constructed|completed|released|published|opened|discovered|invented|"
    "introduced|developed|launched|incorporated|recorded|produced|painted|composed|written|signed|adopted|held|"
    "isolated|described|designed|elected|assassinated|executed|killed|crowned|canonized|coined|abolished|destroyed|"
    "dissolved|inaugurated|ratified|fought|premiered|broadcast|designated|inscribed|named"
)
_AUTHORED = (
    "founded|created|built|discovered|invented|developed|directed|written|composed|painted|designed|"
    "published|produced|recorded|sculpted|led|formulated|coined|proposed|isolated"
)


@dataclass(frozen=True)
class Rule:
    """`pattern` is matched at the predicate's start (or searched, if `anywhere`); group `a` is the answer.

    Where `clip` is set the answer runs from `a`'s start to the end of its clause. Templates are filled with the
    subject's `{name}`, `{poss}`, `{do}`/`{does}` forms and the pattern's named groups. `who`: "person", "thing", "".
    """

    kind: str
    pattern: re.Pattern[str]
    templates: tuple[str, ...]
    clip: bool = False
    anywhere: bool = False
    first_only: bool = False
    who: str = ""
    gate: str = ""  # a substring without which the pattern cannot match (speed only)


def _rule(kind: str, pattern: str, *templates: str, **options: bool | str) -> Rule:
    return Rule(kind, re.compile(pattern), templates, **options)  # type: ignore[arg-type]


_OBJECT = (
    r"(?P<a>(?:(?:the|an?|his|her|its|their|numerous|many|several|more|over|about|two|three|four|five)\b|[A-Z\"“\d]).+)"
)


RULES: tuple[Rule, ...] = (
    # dates
    _rule("date", rf"{BE} (?P<v>{_MADE})(?: [a-z][^,;.()]{{2,50}}?)? (?:in|on) (?P<a>{YEAR})(?![\w%–-])(?! (?:people|to|and|or)\b)",
          "In what year {be} {name} {v}?", "When {be} {name} {v}?", "In which year {be} {name} {v}?"),
    _rule("date", rf"{BE} (?P<v>{_MADE})(?: [a-z][^,;.()]{{2,50}}?)? (?:in|on|during) (?P<a>{DATE})",
          "When {be} {name} {v}?"),
    _rule("date", rf"{BE} (?P<v>fought|held|built|constructed|written|painted|used|developed|recorded|composed)(?: [a-z][^,;.()]{{2,40}}?)? "
          rf"(?P<a>(?:between {DATE} and {DATE}|from {DATE} (?:to|until) {DATE}))", "When {be} {name} {v}?"),
    _rule("date", rf"took place (?:[^,;.()]{{0,40}} )?(?P<a>(?:on|in|between|from) {DATE}(?:(?: to| and| until) {DATE})?)",
          "When did {name} take place?", "When was it that {name} took place?", gate="took place "),
    _rule("date", rf"(?P<v>began|occurred|ended|opened|lasted|existed|premiered|debuted|ruled|reigned) (?:[^,;.()]{{0,40}} )?"
          rf"(?P<a>(?:in|on|from|between) {DATE}(?:(?: to| and| until) {DATE})?)", "When did {name} {base}?"),
    _rule("birth", rf"was born (?:in [^,;.()]+ )?(?P<a>(?:on|in) {DATE})", "When was {name} born?", who="person"),
    _rule("birth", r"was born (?:(?:on|in) \d[^,;.()]*? )?(?:in|at) (?P<a>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*(?:, [A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*){0,2})(?=[.;]|,? (?:to|and|in|on|the|into)\b)",
          "Where was {name} born?", "In which place was {name} born?", who="person"),
    _rule("death", rf"died (?:[^,;.()]{{0,40}} )?(?P<a>(?:on|in) {DATE})", "When did {name} die?", who="person"),
    _rule("release", r"(?:is|was) (?:an?|the) (?P<a>1[5-9]\d\d|20\d\d) [^,;.]*?\b(?P<n>film|album|single|song)\b",
          "In what year was the {n} {name} released?", "In which year did the {n} {name} come out?", first_only=True),
    _rule("release", r"(?:is|was) (?:an?|the) (?P<a>1[5-9]\d\d|20\d\d) [^,;.]*?\b(?P<n>novel|novella|book|play|painting|poem)\b",
          "What year is the {n} {name} from?", "From what year is the {n} {name}?", first_only=True),
    # office and reign
    _rule("office", rf"(?:served|reigned|ruled) as (?P<r>(?:the )?[^,;.()]{{4,90}}?) (?P<a>from {DATE} (?:to|until) (?:{DATE}|his death|her death|his assassination|his resignation)(?: in {DATE})?)",
          "When did {name} serve as {r}?", "During which years did {name} serve as {r}?", gate=" as "),
    _rule("office", rf"was (?P<r>(?:the )?(?:[\w-]+ )?(?:King|Queen|Emperor|Empress|Pope|President|Prime Minister|Duke|Sultan|Tsar|Caliph|Pharaoh|Chancellor|king|queen|emperor|president|prime minister|ruler|head|leader)\b[^,;.()]{{0,60}}?) (?P<a>from {DATE} (?:to|until) (?:{DATE}|his death|her death|his abdication|her abdication)(?: in {DATE})?)",
          "When was {name} {r}?", "During which years was {name} {r}?"),
    _rule("office", r"served as (?P<a>the .+)", "What office did {name} hold?",
          clip=True, who="person", gate="served as the "),
    # who made it
    _rule("maker", rf"{BE} {_ADV}(?P<v>{_AUTHORED})(?: (?:in|on) {DATE})? by (?P<a>{_AGENT_END})(?=[.;]|,? (?:in|on|and|as|at|for|from|who|during|with|to|using|while)\b|, )",
          "Who {be} {name} {v} by?", "By whom {be} {name} {v}?", who="thing", gate=" by "),
    _rule("maker", rf"(?:is|was) (?:an?|the) [^,;.]*?\b(?P<v>directed|written|composed|painted|created|designed|recorded)(?:,? [\w, -]{{0,30}}?)?,? by (?P<a>{_AGENT_END})(?=[.;]|,? (?:in|on|and|as|at|for|from|who|during|with|based|starring|that|which|about)\b|, )",
          "Who was {name} {v} by?", "By whom was {name} {v}?", first_only=True, who="thing", gate=" by "),
    _rule("maker", rf"(?:is|was) (?:an?|the) (?:[\w-]+ ){{0,6}}?(?P<n>novel|play|poem|essay|novella|opera|symphony|painting|short story|ballet|treatise|tragedy|comedy|sculpture) (?:in [a-z ]+ )?by (?P<a>{_AGENT_END})(?=[.;]|,? (?:in|on|and|as|at|for|from|who|during|with|based|that|which|about|first)\b|, )",
          "Who is the author of the {n} {name}?", "Whose {n} is {name}?", "Who made the {n} {name}?", first_only=True, who="thing", gate=" by "),
    _rule("maker", rf"(?:is|was) (?:an?|the) (?:[\w-]+ ){{0,6}}?(?P<n>album|song|single) by (?P<a>.+)",
          "Whose {n} is {name}?", "Who made the {n} {name}?", clip=True, first_only=True, who="thing", gate=" by "),
    # places
    _rule("place", rf"{BE} (?P<l>located|situated|found|headquartered|based|buried) (?P<a>(?:in|on|at|near|along|between) .+)",
          "Where {be} {name} {l}?", clip=True),
    _rule("place", rf"{BE} (?:an?|the) (?:[\w'’-]+ ){{0,5}}?(?P<g>city|town|village|municipality|commune|country|state|province|region|district|county|island|archipelago|peninsula|river|lake|mountain|volcano|desert|mountain range|park|university|museum|castle|palace|bridge|cathedral|temple|church|port|canal|sea|bay|gulf|strait|kingdom|empire|waterfall|plateau|valley|hotel|stadium|airport|building|skyscraper|monument)(?: (?:located|situated))? (?P<a>(?:in|on|off) (?:the )?(?:[a-z-]+ (?:of )?(?:the )?){{0,4}}[A-Z].*)",
          "Where {be} {name}?", "Where {be} {name} located?", clip=True, first_only=True, who="thing"),
    _rule("place", r"(?P<v>flows|runs|empties|drains|stretches|extends) (?P<p>into|through|from|across|along) (?P<a>.+)",
          "Where does {name} {base} {p}?", clip=True, who="thing"),
    _rule("place", rf"{BE} (?:[^;.(]{{0,80}}? )?(?P<l>native|endemic) to (?P<a>.+)", "Where {be} {name} {l} to?", "To what region {be} {name} {l}?", clip=True, who="thing", gate=" to "),
    _rule("border", rf"{BE} (?P<v>bordered|surrounded|bounded) by (?P<a>.+)", "What {be} {name} {v} by?",
          "By what {be} {name} {v}?", clip=True, who="thing"),
    _rule("border", r"(?P<v>borders|shares (?:land |maritime |its )?borders with) (?P<a>.+)",
          "What does {name} {base}?", clip=True, who="thing"),
    # quantities
    _rule("quantity", rf"[^;]*?\b(?P<w>with|has|had) (?:an? )?(?P<q>(?:estimated |total )?(?:population|area|land area|surface area|length|elevation|height|maximum depth|average depth|diameter|radius|mass|wingspan|atomic number|orbital period)) of (?P<a>(?:(?:about|over|around|approximately|nearly|roughly|almost|some|only|more than|less than|up to|between) )?[\d][\w,.–-]*(?: (?:to|and) [\d][\w,.–-]*)?(?: (?:million|billion|thousand))?(?: (?:square )?(?:[\w²³°/]+))?)(?=[,;.()]| (?:people|inhabitants|residents|and|as|in|making|at|above|with|per)\b)",
          "What {hb} the {q} of {name}?", "What {hb} {poss} {q}?", gate=" of ", who="thing"),
    _rule("quantity", rf"(?:covers|covering|occupies|spans|spanning) (?:an area of )?(?P<a>(?:(?:about|over|around|approximately|nearly|roughly|almost|some|more than) )?\d[\d,.]* (?:million )?(?:km2|sq km|square kilomet(?:re|er)s|square miles|hectares|acres|km²))",
          "How large an area does {name} cover?", "What area does {name} cover?", who="thing"),
    _rule("quantity", r"(?:is|was|are|were) (?P<a>(?:(?:about|over|around|approximately|nearly|roughly|almost|some|more than) )?\d[\d,.]* (?:m|km|ft|feet|metres|meters|kilometres|kilometers|miles|mi|cm|mm|inches))(?: \([^)]*\))? (?P<q>long|high|tall|wide|deep)\b",
          "How {q} {be0} {name}?", who="thing"),
    # people
    _rule("occupation", r"(?:is|was) an? (?:(?:[A-Z][\w-]+(?:-born)?(?: and |, |/)?)+ )(?P<a>(?!who |known |best )[a-z][a-z -]+?(?:(?:, [a-z][a-z -]+?)*,? and [a-z][a-z -]+?)?)(?=\.| (?:who|known|best|whose|active|remembered|noted|widely)\b|, (?:who|known|best|whose|widely|and the)\b)",
          "What {be0} {poss} occupation?", "What {be0} {name} by profession?", "What {be0} {poss} profession?", who="person", first_only=True),
    _rule("nationality", r"(?:is|was) an? (?P<a>[A-Z][a-z]+(?:an|ish|ese)|French|German|Greek|Dutch|Czech|Swiss|Welsh|Polish|[A-Z][a-z]+(?:an|ish)-American) (?:former )?(?:[a-z]+ ){0,2}?(?=[a-z]+(?:er|or|ist|ian|ess|man|woman|wright|poet|physicist|general|king|model)\b)",
          "What {be0} {poss} nationality?", "What nationality {be0} {name}?", who="person", first_only=True),
    _rule("fame", r"(?:(?:is|was|are|were) |[^;]*?(?:, |who (?:is|was) ))(?P<k>best known|best remembered|most famous|famous|noted|known|renowned|remembered|widely known) (?P<p>for) (?P<a>.+)",
          "What {bx} {name} {k} {p}?", "For what {bx} {name} {k}?", clip=True, gate=" for "),
    _rule("fame", rf"{BE} (?P<v>(?:(?:often|widely|generally|sometimes|commonly|usually|frequently|traditionally) )?(?:regarded|described|seen|viewed|recognized|recognised|credited|hailed|classified|defined|cited|celebrated|remembered)) (?P<p>as|with) (?P<a>(?:the|an?|one|having|being) .+)",
          "What {be} {name} {v} {p}?", clip=True),
    _rule("fame", rf"{BE} (?P<v>(?:(?:often|widely|generally|sometimes|commonly|usually) )?considered)(?: to be| as)? (?P<a>(?:the|an?|one of) .+)",
          "What {be} {name} {v} to be?", clip=True, gate="considered "),
    # what it does, is for, comes from
    _rule("use", rf"{BE} (?P<v>(?:(?:often|widely|commonly|mainly|primarily|mostly|typically|usually|also) )?(?:used|employed|grown|cultivated)) (?P<p>for) (?P<a>.+)",
          "What {be} {name} {v} for?", "For what purpose {be} {name} {v}?", clip=True, who="thing"),
    _rule("use", rf"{BE} (?P<v>(?:(?:often|widely|commonly|mainly|primarily|mostly|typically|usually|also) )?(?:used|designed|employed)) (?P<a>to \w+ .+)",
          "What {be} {name} {v} to do?", "For what purpose {be} {name} {v}?", clip=True, who="thing"),
    _rule("relation", rf"{BE} (?P<v>(?:also |often |usually |typically |sometimes |primarily |mainly |mostly |largely |closely )?(?:caused|characterized|characterised|produced|surrounded|governed|influenced|inspired|powered|divided|made up|composed|made|derived|named|based|related|responsible|similar|opposed|organized|organised|grouped|dedicated|associated|distinguished|distinct|home|connected|affiliated|subdivided|twinned|composed)) (?P<p>by|of|from|after|on|into|to|for|with) (?P<a>.+)",
          "What {be} {name} {v} {p}?", clip=True, who="thing"),
    _rule("alias", rf"{BE} (?P<v>(?:often |sometimes |commonly |popularly |formerly |originally |colloquially |usually |widely )?(?:known|referred to)) as (?P<a>.+)",
          "What {be} {name} {v} as?", clip=True, gate=" as "),
    _rule("kin", rf"{BE} the (?P<r>(?:[a-z]+ )?(?:son|daughter|wife|husband|brother|sister|mother|father|grandson|granddaughter|nephew|uncle|successor|pupil)(?: and (?:successor|heir|wife|daughter|son))?) of (?P<a>.+)",
          "Who {be} {name} the {r} of?", clip=True, who="person", gate=" of "),
    _rule("role", rf"{BE} the (?P<r>(?:[a-z-]+ ){{0,2}}?(?!capital|name|son|daughter|wife|brother|sister|most|largest|study|number|part|act|set|process|use|state|period|practice|rate)[a-z]{{4,}}) of (?P<a>(?:the )?[A-Z](?:(?! and the ).)+)",
          "What {be} {name} the {r} of?", clip=True, gate=" the "),
    _rule("role", r"(?P<v>serves|served|acts|functions|acted|worked|works) as (?P<a>(?:the|an?) .+)", "What {dd} {name} {base} as?", clip=True, gate=" as "),
    _rule("role", r"(?P<v>plays|played) (?P<r>an? (?:[a-z]+ )?(?:role|part)) in (?P<a>.+)", "What {dd} {name} play {r} in?", clip=True, gate=" in "),
    _rule("award", r"was awarded (?P<a>the .+)", "What was {name} awarded?", "What award did {name} receive?", clip=True, who="person", gate="awarded"),
    _rule("cast", r"stars (?P<a>[A-Z].+)", "Who stars in {name}?", clip=True, who="thing"),
    _rule("taxon", r"(?:is|are) [^;.(]*? (?:of|in|within|belonging to|from) the (?:[a-z-]+ )?(?P<n>family|order|genus|phylum|class|subfamily|suborder|tribe|kingdom|infraorder|superfamily) (?P<a>[A-Z][a-z]+)\b",
          "What {n} {do} {name} belong to?", "To which {n} {do} {name} belong?", first_only=True, who="thing", gate=" the "),
    _rule("place", rf"{BE} (?:an?|the) [^,;.(]{{3,70}}?,? (?P<l>located|situated|headquartered|based|found) (?P<a>(?:in|on|at|near|between|along) .+)",
          "Where {be} {name} {l}?", clip=True, first_only=True, who="thing"),
    _rule("place", r"(?P<v>lies|stands|sits) (?P<a>(?:in|on|at|near|between|along|within|across|north|south|east|west) .+)", "Where does {name} {base}?", clip=True, who="thing"),
    _rule("date", rf"{BE} (?:an?|the) (?:(?! that | which | who | by | of the ).){{3,80}}?,? (?P<v>founded|established|released|published|incorporated|built|formed|completed|launched|opened|signed|discovered) (?:by [^,;]{{3,40}} )?in (?P<a>{YEAR})(?![\w%–-])",
          "In what year was {name} {v}?", "When was {name} {v}?", first_only=True, who="thing"),
    _rule("relation", rf"{BE} named after (?P<a>.+)", "What {be} {name} named after?", clip=True, who="thing", gate="named after"),
    _rule("relation", rf"{BE} (?P<r>(?:a )?(?:part|member|subset|branch|subfamily|subdivision|suburb|subfield|citizen|student|subgroup|native|founding member|graduate)) of (?P<a>.+)",
          "What {be} {name} {r} of?", clip=True),
    _rule("relation", r"(?P<v>belongs to|refers to|consists of|deals with|focuses on|specializes in|specialises in|results from|depends on|leads to|contributes to|derives from|stands for|contains|covers|comprises|describes|involves|includes|encompasses|produces|provides|requires|causes|affects|means|uses|stores|forms|constitutes|represents|studies|examines|investigates|occupies|connects|separates|promotes|governs|regulates) (?P<a>.+)",
          "What does {name} {base}?", clip=True, who="thing"),
    _rule("relation", r"(?P<v>belong to|refer to|consist of|deal with|focus on|depend on|include|contain|cover|comprise|involve|encompass|produce|provide|require|cause|affect|live in|inhabit|eat|feed on) (?P<a>.+)",
          "What do {name} {v}?", clip=True, who="thing"),
    _rule("deed", r"(?:also |later |then |first |eventually |subsequently )?(?P<v>wrote|won|received|founded|co-founded|directed|published|invented|discovered|developed|introduced|composed|painted|established|created|designed|built|conquered|defeated|led|ruled|succeeded|married|formulated|proposed|promoted|produced|recorded|commanded|joined|headed|starred in|studied|taught|proved|coined|pioneered|earned|held|captured|explored|defended|opposed|supported|translated|hosted|signed|launched|commissioned|completed) "
          + _OBJECT, "What did {name} {base}?", clip=True, who="person"),
    _rule("deed", r"(?:also |later )?(?P<v>became) (?P<a>(?:the|an?) .+)", "What did {name} become?", clip=True, gate="became "),
    _rule("start", r"(?P<v>originated|emerged|arose|evolved|began|lived|grew up|appeared|flourished) (?P<a>(?:in|from|during|around) .+)",
          "{whw} did {name} {base}?", clip=True),
)

# Past and third-person forms whose base form is not the word less its ending.
_BASES = {
    "wrote": "write", "won": "win", "built": "build", "led": "lead", "began": "begin", "held": "hold", "arose": "arise",
    "starred in": "star in", "taught": "teach", "proved": "prove", "became": "become", "grew up": "grow up",
    "married": "marry", "studied": "study", "studies": "study", "occupies": "occupy", "shares borders with":
    "share borders with", "empties": "empty", "co-founded": "co-found", "ruled": "rule", "occurred": "occur",
    "commanded": "command", "joined": "join", "headed": "head", "opposed": "oppose", "proposed": "propose",
    "debuted": "debut", "means": "mean", "appeared": "appear", "developed": "develop", "opened": "open",
    "ended": "end", "lasted": "last", "existed": "exist", "conquered": "conquer", "defeated": "defeat",
    "succeeded": "succeed", "composed": "compose", "earned": "earn", "founded": "found", "received": "receive",
    "directed": "direct", "published": "publish", "invented": "invent", "discovered": "discover",
    "painted": "paint", "established": "establish", "designed": "design", "recorded": "record", "coined": "coin",
    "pioneered": "pioneer", "explored": "explore", "defended": "defend", "supported": "support",
    "signed": "sign", "launched": "launch", "commissioned": "commission", "emerged": "emerge",
    "flourished": "flourish", "reigned": "reign", "hosted": "host", "lived": "live", "formulated": "formulate",
}


def base_form(verb: str) -> str:
    """The infinitive of a verb form that a rule captured ("wrote" -> "write", "consists of" -> "consist of")."""
    if verb in _BASES:
        return _BASES[verb]
    first, space, rest = verb.partition(" ")
    if first.endswith(("ches", "shes", "sses", "xes")):
        first = first[:-2]
    elif first.endswith("ed"):
        first = first[:-1]
    elif first.endswith("s"):
        first = first[:-1]
    return first + space + rest


# Where an open-ended answer stops: the next clause begins, and what stands before it is already an answer.
_CLIP = re.compile(
    r"[;:]| [–—-] |—| ?\(|, (?:and |but |or |then )?(?:which|who|whose|where|when|while|with|but|although|though|because|after|before|"
    r"since|until|as|so|yet|he|she|it|they|his|her|its|their|is|was|are|were|has|had|have|this|these|making|followed|"
    r"especially|particularly|including|such as|thereby|thus|both|becoming|being|having|according|despite|except|not|"
    r"due|whereas|meaning|for|under|also|known|though|most|notably|usually|often|sometimes|at|by|from|in (?:which|addition|part|order)|"
    r"on which|of which|\w{3,}ing|(?!red\b)\w{3,}ed|became|began|led|won|wrote|made|rather|either|that|to)\b"
    r"| and (?:is|was|are|were|has|had|have|became|began|led|won|wrote|served|it|he|she|they|died|remained|one of|can|may|will|also|held|shares|covers|contains|includes|borders|made|left|took|gave|went|saw|found|kept|brought|fought|began|came|grew|rose|spent|thus|extends|lies|consists|serves|provides|plays|taught|put|"
    r"thus|then|later|(?!related\b|united\b|applied\b|advanced\b|combined\b|associated\b)\w{3,}ed)\b"
    r"| and the (?:[\w-]+[ -])?(?:largest|most|capital|only|first|second|third|oldest|longest|highest)\b"
    r"| (?:due to|but|although|though|whereas|because|while) | until his | until her |, (?:in|on) (?:the )?\d|, (?:the|an?) \w+ of "
)
_CLOSED = re.compile(r"[.,;]|$| –| —")
_TRAILING = re.compile(r"[,.\s]+$")


def clip_clause(text: str, start: int, max_words: int) -> int:
    """End offset of the clause that begins at `start`, cut before what could be another clause; -1 if too long.

    Brackets and quotations are stepped over, unless a bracket is the last thing of the clause.
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
            if close < 0 or _CLOSED.match(text, close + 1):
                end = here
                break
            at = close + 1
        elif text.count('"', start, here) % 2:
            closing = text.find('"', here)
            if closing < 0:
                return -1
            at = closing + 1
        else:
            end = here
            break
    end = start + len(_TRAILING.sub("", text[start:end]))
    return end if text.count(" ", start, end) < max_words else -1
