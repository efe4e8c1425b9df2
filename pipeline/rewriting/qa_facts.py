"""Rules for dates, makers, offices, places and quantities."""

from __future__ import annotations

from pipeline.rewriting.qa_rules import ADVERB, AGENT, AROUND, AUTHORED, BE, DATE, MADE, NUMBER, YEAR, Rule, rule

_ABOUT = (
    "(?:(?:about|over|around|approximately|nearly|roughly|almost|some|only|just over|just under|more than|less than|"
    "up to"
    "|between) )"
)
_MEASURE = (
    "(?:estimated |total |city )?(?:population|area|land area|surface area|length|elevation|height|maximum depth|"
    "average depth|diameter|radius|mass|wingspan|atomic number|orbital period)"
)
_UNIT = (
    "(?: (?:million|billion|thousand))?(?: (?:square )?(?:people|inhabitants|residents|k?m[²2]?|mi|ft|feet|miles|acres|"
    "hectares|(?:kilo|centi|milli)?met(?:re|er)s|kilograms|kg|years|days|AU))?"
)

FACTS: tuple[Rule, ...] = (
    # dates
    rule(
        "date",
        rf"{BE} (?P<v>{MADE}){AROUND} (?:in|on) (?P<a>{YEAR})(?![\w%–-])"
        rf"(?! (?:people|to|or)\b| and (?:in )?\d)",
        "In what year {be} {name} {v}?",
        "When {be} {name} {v}?",
        "In which year {be} {name} {v}?",
    ),
    rule(
        "date",
        rf"{BE} (?P<v>{MADE}){AROUND} (?:in|on|during) (?P<a>{DATE})",
        "When {be} {name} {v}?",
    ),
    rule(
        "date",
        rf"{BE} (?P<v>fought|held|built|constructed|written|painted|used|developed|recorded|"
        rf"composed)(?: [a-z][^,;.()]{{2,40}}?)?? "
        rf"(?P<a>(?:between {DATE} and {DATE}|from {DATE} (?:to|until) {DATE}))",
        "When {be} {name} {v}?",
    ),
    rule(
        "date",
        rf"took place (?:[^,;.()]{{0,40}} )?(?P<a>(?:on|in|between|from) {DATE}(?:(?: to|"
        rf" and| until) {DATE})?)",
        "When did {name} take place?",
        "When was it that {name} took place?",
        gate="took place ",
    ),
    rule(
        "date",
        rf"(?P<v>began|occurred|ended|opened|lasted|existed|premiered|debuted|ruled|reigned)"
        rf" (?:(?:(?!until |from )[^,;.()]){{0,40}} )?"
        rf"(?P<a>(?:in|on|from|between) {DATE}(?:(?: to| and| until) (?:(?:his|her) (?:death|assassination|"
        rf"abdication) in )?"
        rf"{DATE})?)(?! until)",
        "When did {name} {base}?",
    ),
    rule(
        "date",
        rf"(?:is|was) (?:an?|the) [^,;.()]*?\b(?:state|empire|kingdom|republic|dynasty|colony|company|federation|"
        rf"caliphate|sultanate|confederation|principality|protectorate|monarchy|territory|khanate|"
        rf"union)\b[^,;.()]*? (?P<a>from {DATE} "
        rf"(?:to|until) {DATE})",
        "When did {name} exist?",
        first_only=True,
        who="thing",
        gate=" from ",
    ),
    rule("birth", rf"was born (?:in [^,;.()]+ )?(?P<a>(?:on|in) {DATE})", "When was {name} born?", who="person"),
    rule(
        "birth",
        r"was born (?:(?:on|in) \d[^,;.()]*? )?(?:in|at) (?P<a>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)"
        r"*(?:, [A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*){0,2})(?=[.;]|,? (?:to|and|in|on|the|into)"
        r"\b)",
        "Where was {name} born?",
        "In which place was {name} born?",
        who="person",
    ),
    rule("death", rf"died (?:[^,;.()]{{0,40}} )?(?P<a>(?:on|in) {DATE})", "When did {name} die?", who="person"),
    rule(
        "release",
        r"(?:is|was) (?:an?|the) (?P<a>1[5-9]\d\d|20\d\d) [^,;.]*?\b(?P<n>film|album|single|"
        r"song)\b",
        "In what year was the {n} {name} released?",
        "In which year did the {n} {name} come out?",
        first_only=True,
    ),
    rule(
        "release",
        r"(?:is|was) (?:an?|the) (?P<a>1[5-9]\d\d|20\d\d) [^,;.]*?\b(?P<n>novel|novella|"
        r"book|play|painting|poem)\b",
        "What year is the {n} {name} from?",
        "From what year is the {n} {name}?",
        first_only=True,
    ),
    # office and reign
    rule(
        "office",
        rf"(?:served|reigned|ruled) as (?P<r>(?:the )?[^,;.()]{{4,90}}?) (?P<a>from {DATE} "
        rf"(?:to|until) (?:{DATE}|his death|her death|his assassination|his resignation)(?:,? "
        rf"(?:in|on|at) (?:early |late )?{DATE})?)(?! at )",
        "When did {name} serve as {r}?",
        "During which years did {name} serve as {r}?",
        gate=" as ",
    ),
    rule(
        "office",
        rf"was (?P<r>(?:the )?(?:[\w-]+ )?(?:King|Queen|Emperor|Empress|Pope|President|Prime "
        rf"Minister|Duke|Sultan|Tsar|Caliph|Pharaoh|Chancellor|king|queen|emperor|president|"
        rf"prime minister|ruler|head|leader)\b(?:(?! from )[^,;.()]){{0,60}}?) (?P<a>from {DATE} (?:to|"
        rf"until) (?:{DATE}|his death|her death|his abdication|her abdication)(?:,? (?:in|on) (?:early |late )?{DATE})"
        rf"?)(?! at )",
        "When was {name} {r}?",
        "During which years was {name} {r}?",
    ),
    rule(
        "office",
        r"served as (?P<a>the .+)",
        "What position did {name} hold?",
        clip=True,
        who="person",
        gate="served as the ",
    ),
    # who made it
    rule(
        "maker",
        rf"{BE} {ADVERB}(?P<v>{AUTHORED})(?: (?:in|on) {DATE})? by (?P<a>{AGENT})(?=;|\.(?= |$)|"
        rf",? (?:in|on|and (?!the |an? |[A-Z])|as|at|for|from|who|during|with|to|using|while)\b|, )",
        "Who {be} {name} {v} by?",
        "By whom {be} {name} {v}?",
        who="thing",
        gate=" by ",
    ),
    rule(
        "maker",
        rf"(?:is|was) (?:an?|the) [^,;.]*?\b(?P<v>directed|written|composed|painted|created|"
        rf"designed|recorded)(?:(?! by )[\w, -]){{0,30}}?,? by (?P<a>{AGENT})(?=;|\.(?= |$)|,? (?:in|"
        rf"on|and (?!the |an? |[A-Z])|as|at|for|from|who|during|with|based|starring|that|which|about)\b|, )",
        "Who was {name} {v} by?",
        "By whom was {name} {v}?",
        first_only=True,
        who="thing",
        gate=" by ",
    ),
    rule(
        "maker",
        rf"(?:is|was) (?:an?|the) (?:[\w-]+ ){{0,6}}?(?P<n>novel|play|poem|essay|novella|"
        rf"short story|treatise|tragedy|comedy) "
        rf"(?:in [a-z ]+ )?by (?P<a>{AGENT})(?=;|\.(?= |$)|,? (?:in|on|and|as|at|for|from|who|during|"
        rf"with|based|that|which|about|first)\b|, )",
        "Who is the author of {name}?",
        "Who wrote {name}?",
        "By whom was {name} written?",
        first_only=True,
        who="thing",
        gate=" by ",
    ),
    rule(
        "maker",
        r"(?:is|was) (?:an?|the) (?:[\w-]+ ){0,6}?(?P<n>album|song|single) by (?P<a>.+)",
        "Who made the {n} {name}?",
        "Who recorded the {n} {name}?",
        clip=True,
        first_only=True,
        who="thing",
        gate=" by ",
    ),
    # places
    rule(
        "place",
        rf"{BE} (?P<l>located|situated|found|headquartered|buried) (?P<a>(?:in|on|at|"
        rf"near|along|between) .+)",
        "Where {be} {name} {l}?",
        clip=True,
    ),
    rule(
        "place",
        rf"{BE} (?:an?|the) (?:[\w'’-]+ ){{0,5}}?(?P<g>city|town|village|municipality|commune|"
        rf"country|state|province|region|district|county|island|archipelago|peninsula|river|"
        rf"lake|mountain|volcano|desert|mountain range|park|university|museum|castle|palace|"
        rf"bridge|cathedral|temple|church|port|canal|sea|bay|gulf|strait|kingdom|empire|waterfall|"
        rf"plateau|valley|hotel|stadium|airport|building|skyscraper|monument)(?: (?:located|"
        rf"situated))? (?P<a>(?!on Earth)(?:in|on|off) (?:the )?(?:[a-z-]+ (?:of )?(?:the )?){{0,4}}[A-Z].*)",
        "Where {be} {name}?",
        "Where {be} {name} located?",
        clip=True,
        first_only=True,
        who="thing",
    ),
    rule(
        "place",
        r"(?P<v>flows|runs|empties|drains|stretches|extends) (?P<a>(?:into|through|from|across|along) .+)",
        "Where does {name} {base}?",
        clip=True,
        who="thing",
    ),
    rule(
        "place",
        rf"{BE} (?:[^;.(]{{0,80}}? )?(?P<l>native|endemic) to (?P<a>.+)",
        "Where {be} {name} {l} to?",
        "To what region {be} {name} {l}?",
        clip=True,
        who="thing",
        gate=" to ",
    ),
    rule(
        "border",
        rf"{BE} (?P<v>bordered|surrounded|bounded) by (?P<a>.+)",
        "What {be} {name} {v} by?",
        clip=True,
        who="thing",
    ),
    rule(
        "border",
        r"(?P<v>borders|shares (?:land |maritime |its )?borders with) (?P<a>.+)",
        "What does {name} {base}?",
        clip=True,
        who="thing",
    ),
    # quantities
    rule(
        "quantity",
        # A "with" after no comma may belong to the noun before it: "part of a region with a population of ...".
        rf"(?:(?:also )?(?:has|had)|(?:is|was) (?:an?|the|one|in|on|at|located|situated)\b[^;.]*?, with) (?:an? )?"
        rf"(?P<q>{_MEASURE}) of (?P<a>{_ABOUT}?{NUMBER}(?: (?:to|and) {NUMBER})?{_UNIT}"
        rf"(?: (?:(?:at|as of|in|according to) (?:the )?\d{{4}}(?: [Cc]ensus)?))?)(?=[,;()]| \(|\.(?!\d)|"
        rf" (?:and|as|in(?! (?:the|its|an?) )|making|at|above|with|per)\b)",
        "What {hb} the {q} of {name}?",
        "What {hb} {poss} {q}?",
        gate=" of ",
        who="thing",
    ),
    rule(
        "quantity",
        rf"(?:covers|covering|occupies|spans|spanning) (?:an? (?:land |total )?(?:area|territory) of )?(?P<a>{_ABOUT}?"
        rf"{NUMBER} (?:million )?(?:km2|sq km|square kilomet(?:re|er)s|square miles|hectares|acres|km²))",
        "How large an area does {name} cover?",
        "What area does {name} cover?",
        who="thing",
    ),
    rule(
        "quantity",
        rf"(?:is|was|are|were) (?P<a>{_ABOUT}?{NUMBER} (?:m|km|ft|feet|metres|meters|kilometres|kilometers|"
        r"miles|mi|cm|mm|inches))(?: \([^)]*\))? (?P<q>long|high|tall|wide|deep)\b",
        "How {q} {be0} {name}?",
        who="thing",
    ),
)
