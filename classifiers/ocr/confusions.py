"""What OCR is known to read for what was printed, before anything is learned; and words with a part in it."""

from __future__ import annotations

from classifiers.ocr.edits import EditTable


def _pairs(text: str, cost: float) -> tuple[tuple[str, str, float], ...]:
    return tuple((read, printed, cost) for read, _, printed in (item.partition(">") for item in text.split()))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# (read, printed, cost in nats). From descriptions of what OCR of print confuses; nothing is fitted.
CONFUSIONS: tuple[tuple[str, str, float], ...] = (
    *_pairs(
        "rn>m m>rn cl>d d>cl 1>l 0>o c>e e>c b>h h>b li>h h>li ii>n n>ii ii>u u>n n>u vv>w l>i i>l 1>i !>l "
        "|>l tb>th f>s o>e e>o a>o o>a 5>s 6>o j>i lj>h fi>h ri>n in>m ni>m m>in nn>m iu>in ln>in wb>wh "
        "tii>th vy>w «>w £>f 9>g 8>s rnm>mm tt>ll ct>d lf>ff ff>fi tl>d a>e e>a s>a i>t t>i l>t t>l f>t t>f ",
        1.0,
    ),
    *_pairs(
        "r>t y>v v>y g>q q>g n>r r>n s>f v>r h>n n>h k>h b>li a>s a>u u>a p>n w>v c>o o>c z>s m>n n>m x>s "
        "ti>n d>a l>f il>ll w>m m>w y>g g>y x>n p>y u>ll k>b t>r ur>m u>ri nl>m j>l e>s ",
        2.0,
    ),
    *_pairs("*> '> ~> ^> •> _> `>", 1.0),
)

# One of two words read as one is a small one: "ofthe", "tosee"; "rainforest" and "database" are words.
GLUE = _words(
    "a all an and are as at be but by for from had have he her him his i if in is it its me my no not of "
    "on or she so that the their they this to was we were what when which who with you "
)

# Ends of words that were cut at a line end; what they were cut from is elsewhere.
PIECES = _words(
    "ance ant ants ble bles bly cial cing ded dent ding ed ence ent ents er ers est ful ging ing ings "
    "ious ity ive less ling ly ment ments ness ning ous ring sing sion sions sive ted ters ther tial ties "
    "ting tion tions tive "
)

# In the word list, but in print mostly a misread "and" or "the": treated as unknown.
SUSPECT = _words("aud tho")

# A full stop after these ends no sentence.
ABBREVIATIONS = _words(
    "abbr abs adj adv al approx apr art aug avg ca capt cent cf ch chap chaps cit co col dec dept dr ed "
    "eds eg eq eqs esp esq est etc feb fig figs fri ft gen gov hon ibid ie in inc incl inst jan jr jul "
    "jun lat lb lbs lit long lt ltd mar max messrs min misc mon mr mrs no nov obs oct op orig oz par per "
    "pl pp pres prof prox ref refs rep resp rev sat sec secs sen sep sept sgt sing sp spp sr st sun thu "
    "thur thurs tue tues ult var ver viz vol vols vs wed "
)

# The commonest English words of three letters and more that French, German and other texts lack: how many of them
# are misread says how much a document is.
COMMON = _words(
    "the and that with for his had her which from this they have were not she you all would their been there "
    "who them when what said him could than upon into then some your our has its out will but are one any "
    "these other very should made after before more such being under about only down over two may must first"
)


def hand_written() -> EditTable:
    """The confusions above as a table of edits, which what is learned starts from: P about 0.004 and 0.0015 each."""
    return EditTable(
        origin="descriptions of what OCR of print confuses; nothing is fitted",
        characters=0,
        noise=0.05,
        edits=tuple((read, printed, 4.5 + cost) for read, printed, cost in dict.fromkeys(CONFUSIONS)),
        changed=10.0,
        lost=10.0,
        added=10.0,
        space_lost=6.0,
        space_added=7.0,
    )
