"""How much of a text is misread, with no truth to compare it with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from classifiers.ocr.confusions import COMMON
from classifiers.ocr.lexicon import Lexicon
from classifiers.ocr.reading import Channel, Reading, read_token

CLEAN = 0.0002, 150.0  # share of common words misread that is expected of any document, and how many words that weighs
NOISY = 0.007  # share of common words misread from which a document is one that was misread
FORMS = 3  # misread in fewer ways than this, a word is a term of its text ("ad") and counts once
SPECKS = 0.0025  # and from which its lines may be specks
ENGLISH = 0.12  # share of common English words from which a text is taken for English

_INSIDE = re.compile(r"(?<=[ \t])[^\s—–]+(?=[ \t])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def noise_of_text(text: str, channel: Channel) -> tuple[float, float]:
    """`noise_of` the tokens inside a text's lines: those at their ends may be parts of cut words."""
    tokens = _INSIDE.findall(text)
    common = sum(map(COMMON.__contains__, tokens))
    if common < 0.5 * ENGLISH * len(tokens):  # another language, whose words need not be searched for
        return 0.0, common / max(len(tokens), 1)
    return noise_of([read_token(token, channel) for token in tokens])


def noise_of(readings: Sequence[Reading | None]) -> tuple[float, float]:
    """Share of common words that are misread, drawn towards `CLEAN`; and of words that are such, misread or not.

    The second says whether a text is English prose at all (`ENGLISH`); where it is not, the first says nothing.
    """
    words = common = misread = 0
    forms: set[str] = set()
    for reading in readings:
        if reading is not None:
            words += 1
            common += reading.common
            if reading.misread:
                misread += 1
                forms.add(reading.core)
    found = misread if len(forms) >= FORMS else len(forms)
    noise = (found + CLEAN[0] * CLEAN[1]) / (misread + common + CLEAN[1])
    return noise, (common + misread) / max(words, 1)


def unknown_share(text: str, lexicon: Lexicon) -> float:
    """Share of words of two letters or more that the lexicon lacks, names too; 1.0 without words."""
    counts = Counter(_WORD.findall(text))
    long = [(word, n) for word, n in counts.items() if len(word) > 1]
    words = sum(n for _, n in long)
    return sum(n for word, n in long if word not in lexicon) / words if words else 1.0
