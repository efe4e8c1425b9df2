"""Rules for what people did and were, and what things are for, made of, part of and known as."""

from __future__ import annotations

from pipeline.rewriting.qa_rules import BE, DATE, OBJECT, YEAR, Rule, rule

RELATIONS: tuple[Rule, ...] = (
    # people
    rule(
        "occupation",
        r"(?:is|was) an? (?:(?:[A-Z][\w-]+(?:-born)?(?: and |, |/)?)+ )(?P<a>(?!who |known "
        r"|best )[a-z][a-z -]+?(?:(?:, (?!who)[a-z][a-z -]+?)*,? and [a-z][a-z -]+?)?)(?=\.| (?:who|"
        r"known|best|whose|active|remembered|noted|widely)\b|, (?:who|known|best|whose|widely|"
        r"and the)\b)",
        "What {be0} {poss} occupation?",
        "What {be0} {name} by profession?",
        "What {be0} {poss} profession?",
        who="person",
        first_only=True,
    ),
    rule(
        "nationality",
        r"(?:is|was) an? (?P<a>(?!Christian|Lutheran|Anglican|Franciscan|Dominican|Puritan|Victorian|Presbyterian|"
        r"Jewish|Republican|Arian|Zoroastrian|Unitarian|Confucian|Elizabethan|Shakespearean|Pre-|Olympian|"
        r"Trojan)(?:[A-Z][a-z]+(?:an|ish|ese)|French|German|Greek|Dutch|Czech|Swiss|Welsh|Polish|[A-Z][a-z]+(?:an|"
        r"ish)-American)) (?:former )?(?:(?!god)[a-z]+ ){0,2}?(?=(?!daughter|god|character|figure)[a-z]*(?:er|or|ist|"
        r"ian|ess|man|woman|wright|poet|physicist|polymath|diplomat|critic|scholar|tenor|architect|monk|king|"
        r"model)\b)",
        "What {be0} {poss} nationality?",
        "What nationality {be0} {name}?",
        who="person",
        first_only=True,
    ),
    rule(
        "fame",
        r"(?:(?:is|was|are|were) |[^;]*?(?:, |who (?:is|was) ))(?P<k>best known|best remembered|"
        r"most famous|famous|noted|known|renowned|remembered|widely known) (?P<p>for) (?P<a>(?!being |at ).+)",
        "What {bx} {name} {k} {p}?",
        "For what {bx} {name} {k}?",
        clip=True,
        gate=" for ",
    ),
    rule(
        "fame",
        rf"{BE} (?P<v>(?:(?:often|widely|generally|sometimes|commonly|usually|frequently|"
        rf"traditionally) )?(?:regarded|described|seen|viewed|recognized|recognised|credited|"
        rf"hailed|classified|defined|cited|celebrated|remembered)) (?P<p>as|with) (?P<a>(?:the|"
        rf"an?|one|having|being) .+)",
        "What {be} {name} {v} {p}?",
        clip=True,
    ),
    rule(
        "fame",
        rf"{BE} (?P<v>(?:(?:often|widely|generally|sometimes|commonly|usually) )?considered)"
        rf"(?: to be| as)? (?P<a>(?:the|an?|one of) .+)",
        "What {be} {name} {v} to be?",
        clip=True,
        gate="considered ",
    ),
    # what it does, is for, comes from
    rule(
        "use",
        rf"{BE} (?P<v>(?:(?:often|widely|commonly|mainly|primarily|mostly|typically|usually|"
        rf"also) )?(?:used|employed|grown|cultivated)) (?P<p>for) (?P<a>(?!about |a variety|many |various |\d)\S+ .+)",
        "What {be} {name} {v} for?",
        "For what purpose {be} {name} {v}?",
        clip=True,
        who="thing",
    ),
    rule(
        "use",
        rf"{BE} (?P<v>(?:(?:often|widely|commonly|mainly|primarily|mostly|typically|usually|"
        rf"also) )?(?:used|designed|employed)) (?P<a>to \w+ .+)",
        "What {be} {name} {v} to do?",
        "For what purpose {be} {name} {v}?",
        clip=True,
        who="thing",
    ),
    rule(
        "relation",
        rf"{BE} (?P<v>(?:also |often |usually |typically |sometimes |primarily |mainly |mostly "
        rf"|largely |closely )?(?:caused|characterized|characterised|produced|surrounded|"
        rf"governed|influenced|inspired|powered|divided|made up|composed|made|derived|named|"
        rf"based|related|responsible|similar|opposed|organized|organised|grouped|dedicated|"
        rf"associated|distinguished|distinct|home|connected|affiliated|subdivided|twinned|"
        rf"composed)) (?P<p>by|of|from|after|on|into|to|for|with) (?P<a>(?!an? (?:number|variety) ).+)",
        "What {be} {name} {v} {p}?",
        clip=True,
        who="thing",
    ),
    rule(
        "alias",
        rf"{BE} (?P<v>(?:often |sometimes |commonly |popularly |formerly |originally |colloquially "
        rf"|usually |widely )?(?:known|referred to)) as (?P<a>.+)",
        "What {be} {name} {v} as?",
        clip=True,
        gate=" as ",
    ),
    rule(
        "kin",
        rf"{BE} the (?P<r>(?:[a-z]+ )?(?:son|daughter|wife|husband|brother|sister|mother|"
        rf"father|grandson|granddaughter|nephew|uncle|successor|pupil)(?: and (?:successor|"
        rf"heir|wife|daughter|son))?) of (?P<a>(?:[A-Z]|(?:the|an?) (?:[a-z-]+ ){{0,4}}[A-Z]).+)",
        "Who {be} {name} the {r} of?",
        clip=True,
        who="person",
        gate=" of ",
    ),
    rule(
        "role",
        rf"{BE} the (?P<r>(?:[a-z-]+ ){{0,2}}?(?!capital|first|second|third|fourth|fifth|last|only|name|son|daughter|"
        rf"wife|brother|sister|most|largest|study|number|part|act|set|process|use|state|period|practice|rate)"
        rf"[a-z]{{4,}}) of (?P<a>(?:the )?[A-Z](?:(?! and (?:the|an?) | from \d| by | until | since | in \d).)+)",
        "What {be} {name} the {r} of?",
        clip=True,
        gate=" the ",
    ),
    rule(
        "role",
        r"(?P<v>serves|served|acts|functions|acted|worked|works) as (?P<a>(?:the|an?) .+)",
        "What {dd} {name} {base} as?",
        clip=True,
        gate=" as ",
    ),
    rule(
        "role",
        r"(?P<v>plays|played) (?P<r>an? (?:[a-z]+ )?(?:role|part)) in (?P<a>(?!many |several |various ).+)",
        "What {dd} {name} play {r} in?",
        clip=True,
        gate=" in ",
    ),
    rule(
        "award",
        r"was awarded (?P<a>the .+)",
        "What was {name} awarded?",
        "What award did {name} receive?",
        clip=True,
        who="person",
        gate="awarded",
    ),
    rule("cast", r"stars (?P<a>[A-Z](?:(?! as |, an? ).)+)", "Who stars in {name}?", clip=True, who="thing"),
    rule(
        "taxon",
        r"(?:is|are) [^;.(]*? (?<!mostly )(?:of|in|within|belonging to|from) the (?:[a-z-]+ )?(?P<n>family|"
        r"order|genus|phylum|class|subfamily|suborder|tribe|kingdom|infraorder|superfamily)"
        r" (?P<a>[A-Z][a-z]+)\b(?! and )",
        "What {n} {do} {name} belong to?",
        "To which {n} {do} {name} belong?",
        first_only=True,
        who="thing",
        gate=" the ",
    ),
    rule(
        "place",
        rf"{BE} (?:an?|the) [^,;.(]{{3,70}}?,? (?P<l>located|situated|headquartered|"
        rf"found) (?P<a>(?:in|on|at|near|between|along) .+)",
        "Where {be} {name} {l}?",
        clip=True,
        first_only=True,
        who="thing",
    ),
    rule(
        "place",
        r"(?P<v>lies|stands|sits) (?P<a>(?:in|on|at|near|between|along|within|across|north|"
        r"south|east|west) .+)",
        "Where does {name} {base}?",
        clip=True,
        who="thing",
    ),
    rule(
        "date",
        rf"{BE} (?:an?|the) (?:(?! that | which | who | by | of the ).){{3,80}}?,? (?P<v>founded|"
        rf"established|released|published|incorporated|built|formed|completed|launched|opened|"
        rf"signed|discovered) (?:by [^,;]{{3,40}} )?in (?P<a>{YEAR})(?![\w%–-])",
        "In what year {wbe} {name} {v}?",
        "When {wbe} {name} {v}?",
        first_only=True,
        who="thing",
    ),
    rule(
        "relation",
        rf"{BE} named after (?P<a>.+)",
        "What {be} {name} named after?",
        clip=True,
        who="thing",
        gate="named after",
    ),
    rule(
        "relation",
        rf"{BE} (?P<r>(?:a )?(?:part|member|subset|branch|subfamily|subdivision|suburb|subfield|"
        rf"citizen|student|subgroup|native|founding member|graduate)) of (?P<a>.+)",
        "What {be} {name} {r} of?",
        clip=True,
    ),
    rule(
        "relation",
        r"(?P<v>belongs to|refers to|consists of|deals with|focuses on|specializes in|specialises "
        r"in|results from|depends on|leads to|contributes to|derives from|stands for|contains|"
        r"covers|comprises|describes|involves|includes|encompasses|produces|provides|requires|"
        r"causes|affects|means|uses|stores|forms|constitutes|represents|studies|examines|"
        r"investigates|occupies|connects(?! [^,.;]* to )|separates(?! [^,.;]* from )|promotes|governs|"
        r"regulates) (?P<a>(?!an? (?:land |total )?(?:area|territory|"
        r"variety|number)|(?:from|in|at|as|on|with|by|when|about|to|for|that|many|more|various|numerous|several|"
        r"different|itself)\b).+)",
        "What does {name} {base}?",
        clip=True,
        who="thing",
    ),
    rule(
        "relation",
        r"(?P<v>belong to|refer to|consist of|deal with|focus on|depend on|include|contain|"
        r"cover|comprise|involve|encompass|produce|provide|require|cause|affect|live in|"
        r"inhabit|eat|feed on) (?P<a>(?!(?:from|in|at|as|on|with|by|when|about|to|for|that|many|more|various|"
        r"numerous|several|different)\b).+)",
        "What do {name} {v}?",
        clip=True,
        who="thing",
    ),
    rule(
        "deed",
        r"(?:also |later |then |first |eventually |subsequently )?(?P<v>wrote|won|received|"
        r"founded|co-founded|directed|published|invented|discovered|developed|introduced|"
        r"composed|painted|established|created|designed|built|conquered|defeated|led|ruled|"
        r"succeeded|married|formulated|proposed|promoted|produced|recorded|commanded|joined|"
        r"headed|starred in|studied|taught|proved|coined|pioneered|earned|held|captured|"
        r"explored|defended|opposed|supported|translated|hosted|signed|launched|commissioned|"
        r"completed) " + OBJECT,
        "What did {name} {base}?",
        clip=True,
        who="person",
    ),
    rule(
        "deed",
        r"(?:also |later )?(?P<v>became) (?P<a>(?:the|an?) .+)",
        "What did {name} become?",
        clip=True,
        gate="became ",
    ),
    rule(
        "start",
        r"(?P<v>originated|emerged|arose|began|lived|grew up|appeared|flourished)"
        rf" (?P<a>(?:in|during|around) (?:(?=(?:the )?[A-Z])|(?=(?:early |late |mid-)?{DATE})).+)",
        "{whw} did {name} {base}?",
        clip=True,
    ),
)
