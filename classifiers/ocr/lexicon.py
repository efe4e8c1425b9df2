"""An English word list with frequencies, read from the files inside the package symspellpy (MIT).

82,765 words (Google Books n-grams crossed with SCOWL) and 242,342 bigrams. Only the data is
used: symspell's own correction makes OCR text worse (see docs/DECISIONS.md).
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_WORDS = "frequency_dictionary_en_82_765.txt"
_BIGRAMS = "frequency_bigramdictionary_en_243_342.txt"
LOG_TOTAL = math.log(1_024_908_267_229)  # words in the corpus behind both lists, as symspellpy has it
RAREST_WORD = math.log(12_711)
RAREST_PAIR = math.log(6_400_000)
LIMIT = 200_000  # answers remembered
# Words that the list lacks, or has without their apostrophe.
_MORE = (
    "don't didn't can't won't isn't wasn't aren't weren't couldn't wouldn't shouldn't hasn't haven't "
    "hadn't doesn't i'm i've i'll i'd you're you've you'll he's she's it's that's there's we're we've "
    "they're they've let's o'clock ma'am shan't mustn't needn't tis twas thou thee thy hath doth "
)
# Words of other languages that English prose is full of.
_FOREIGN = (
    "von und der die das den dem des les du del della alla il et al fide parte facto mori ipso quo ante "
    "nihil rerum sur dans pour avec une est que qui pas mon ma mes ses monsieur madame mademoiselle mein "
    "ich nicht le la los las "
)


# Common words as verse and old books have them.
_OLD = (
    "ye thir hee shee mee th' i'th o'er o're e'er e're ne'er ne're thro tho' thro' ev'n heav'n pow'r spake dropt "
    "stept whilom mought shew shewed shewn shews chuse haue vp vpon vs vnto giue loue "
)

_KNOWN_AS_THEY_STAND = frozenset((_FOREIGN + _OLD).split())
# The list is British: "labor", "analyze", "defense" stand in it as "labour", "analyse", "defence".
_BRITISH = (
    ("or", "our"),
    ("iz", "is"),
    ("yz", "ys"),
    ("ense", "ence"),
    ("e", "ae"),
    ("e", "oe"),
    ("l", "ll"),
    ("ll", "l"),
)


def _replaced(word: str, old: str, new: str) -> Iterator[str]:
    """The word with `old` as `new`, at each place it stands."""
    at = word.find(old)
    while at >= 0:
        yield word[:at] + new + word[at + len(old) :]
        at = word.find(old, at + 1)


@dataclass(frozen=True)
class Lexicon:
    """Word and bigram frequencies as natural logarithms of counts; lower case."""

    words: Mapping[str, float]
    bigrams: Mapping[tuple[str, str], float]
    asked: dict[str, bool] = field(default_factory=dict, compare=False)  # answers, a pure function of the word

    def __contains__(self, word: str) -> bool:
        """Whether a word, in any case and with or without a possessive, is known."""
        if word in self.words:
            return True
        known = self.asked.get(word)
        if known is None:
            if len(self.asked) >= LIMIT:
                self.asked.clear()
            known = self.asked[word] = self._knows(word.lower().replace("’", "'"))
        return known

    def _knows(self, word: str) -> bool:
        if word in self.words or word in _KNOWN_AS_THEY_STAND:
            return True
        if word.endswith(("'s", "s'")) and word[:-2] in self.words:
            return True
        if word.endswith("s") and len(word) > 4 and word[:-1] in self.words:
            return True
        return len(word) > 3 and any(
            british in self.words for ours, theirs in _BRITISH for british in _replaced(word, ours, theirs)
        )

    def log_share(self, word: str) -> float:
        """log P(word) in nats; of an unknown word, that of the rarest listed ones."""
        return self.words.get(word, RAREST_WORD) - LOG_TOTAL

    def pmi(self, left: str, right: str) -> float:
        """Pointwise mutual information of neighbouring words, nats.

        An unlisted pair is at most as frequent as the rarest listed one: that speaks against common words
        that should have met, and says nothing (0) about rare ones or unknown ones.
        """
        left_count, right_count = self.words.get(left), self.words.get(right)
        if left_count is None or right_count is None:
            return 0.0
        independent = left_count + right_count - LOG_TOTAL
        pair = self.bigrams.get((left, right))
        return (
            (RAREST_PAIR if pair is None else pair) - independent
            if pair is not None or independent > RAREST_PAIR
            else 0.0
        )


def load_lexicon() -> Lexicon:
    """Read both lists (0.4 s, 60 MB). Raises ValueError where symspellpy is not installed."""
    spec = importlib.util.find_spec("symspellpy")
    if spec is None or spec.origin is None:
        raise ValueError("the OCR lexicon is read from the package symspellpy, which is not installed")
    folder = Path(spec.origin).parent
    words: dict[str, float] = {}
    for line in (folder / _WORDS).read_text(encoding="utf-8-sig").splitlines():
        word, _, count = line.partition(" ")
        words[word] = math.log(int(count))
    for word in _MORE.split():
        words.setdefault(word, math.log(20_000_000))
    bigrams: dict[tuple[str, str], float] = {}
    for line in (folder / _BIGRAMS).read_text(encoding="utf-8-sig").splitlines():
        left, right, count = line.split(" ")
        bigrams[left, right] = math.log(int(count))
    return Lexicon(words, bigrams)
