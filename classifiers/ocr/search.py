"""Known words that a misread word may have been printed as: a search of a trie of the lexicon, in compiled code.

A path through the trie that reads the word costs the sum of its edits (nats). What is learned of a reader gives
pieces of up to three characters for pieces of up to three ("rn" for "m"); any other letter may be changed, lost
or added at a flat cost. Branch and bound: a path is left as soon as even the likeliest word below it would be
worse than the worst of the words kept (the scoring of Kernighan, Church and Gale 1990; the trie search of Oflazer
1996 with costs in place of a count of edits).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classifiers.ocr.edits import EditTable

LETTERS = "abcdefghijklmnopqrstuvwxyz'-"  # what a known word is made of
MOST = 6  # words kept of a search
SPREAD = 9.0  # nats behind the best word from which no context can bring another up
LADDER = 20.0, 24.0, 28.0  # cost - log P within which words are looked for, one after the other: most are near
CLEAR = 2.0  # nats by which the best must be inside of what was looked at
STEPS = 2_000  # states a search may visit; longer ones end with what they have
EDITS = 3  # edits a word may need at most, one less where it is short
SHORT = 7  # letters of a short word
CAPITAL = 3.0  # nats that a capital inside a word costs, read for the same small letter
LONGEST = 28  # letters of a word that is searched for
_SIGNS = 0x2200  # code points with an identity of their own in edits; others are all one


@dataclass(frozen=True)
class Trie:
    """`children`: int32 (nodes, letters), 0 where there is none. `share`: float32 (nodes,), log P of the word that ends
    here, -inf where none does. `word`: int32 (nodes,), index into `words`."""

    children: NDArray[np.int32]
    share: NDArray[np.float32]
    word: NDArray[np.int32]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Edits:
    """An edit table laid out for the search: `keys` of what was read, sorted; its edits from `first` to the next.

    `best`: float32 (nodes, LONGEST + 4), the most that log P - cost can come to below a node with so many letters left
    to read: words much longer or shorter than those take edits.
    """

    ids: NDArray[np.uint8]
    keys: NDArray[np.int32]
    first: NDArray[np.int32]
    printed: NDArray[np.int8]
    length: NDArray[np.int8]
    cost: NDArray[np.float32]
    flat: NDArray[np.float32]
    best: NDArray[np.float32]


class Found(NamedTuple):
    """One known word, the cost of reading it so (nats), how many edits that takes, and its log P."""

    word: str
    cost: float
    edits: int
    share: float


def build_trie(words: Mapping[str, float]) -> Trie:
    """Trie of the words made of `LETTERS`; values are log P."""
    usable = tuple(sorted(word for word in words if word and not word.strip(LETTERS)))
    codes = np.frombuffer("".join(usable).encode("ascii"), np.uint8)
    table = np.zeros(128, np.int8)
    for index, letter in enumerate(LETTERS):
        table[ord(letter)] = index
    ends = np.cumsum([len(word) for word in usable])
    shares = np.array([words[word] for word in usable], np.float32)
    return Trie(*_build(table[codes], ends, shares), usable)


def lay_out(table: EditTable, trie: Trie) -> Edits:
    """An edit table for the search. Edits to what no known word is made of have no place in it."""
    ids = np.ones(_SIGNS, np.uint8)  # 1: a sign of no edit
    seen: dict[str, int] = {}
    for char in sorted({char for read, _, _ in table.edits for char in read if ord(char) < _SIGNS}):
        if len(seen) < 250:
            seen[char] = ids[ord(char)] = len(seen) + 2
    by_key: dict[int, list[tuple[str, float]]] = {}
    for read, printed, cost in table.edits:
        if all(char in seen for char in read) and not printed.strip(LETTERS):
            key = sum(seen[char] << (8 * at) for at, char in enumerate(read))
            by_key.setdefault(key, []).append((printed, cost))
    keys = sorted(by_key)
    every = [edit for key in keys for edit in sorted(by_key[key], key=lambda edit: -edit[1])]
    printed = np.full((len(every), 3), -1, np.int8)
    for row, (text, _) in enumerate(every):
        printed[row, : len(text)] = [LETTERS.index(char) for char in text]
    differ = [cost / abs(len(read) - len(text)) for read, text, cost in table.edits if len(read) != len(text)]
    slope = min([table.lost, table.added, *differ])  # nats that a letter more or less costs at least
    return Edits(
        ids,
        np.array(keys, np.int32),
        np.cumsum([0, *(len(by_key[key]) for key in keys)]).astype(np.int32),
        printed,
        np.array([len(text) for text, _ in every], np.int8),
        np.array([cost for _, cost in every], np.float32),
        np.array([table.changed, table.lost, table.added], np.float32),
        _best_below(trie.children, trie.share, np.float32(slope), LONGEST + 4),
    )


def find(word: str, trie: Trie, edits: Edits, limit: float) -> list[Found]:
    """Known words for a folded word (see `ocr_edits.fold`), best first: cost - log P at most `limit`.

    Near ones are looked for first, and more only where none stands clear of what was not looked at.
    """
    if not 0 < len(word) <= LONGEST:
        return []
    codes = np.frombuffer(word.encode("utf-32-le"), np.uint32)
    found: list[Found] = []
    for rung in LADDER:
        found = _find(codes, trie, edits, min(rung, limit))
        if rung >= limit or (found and found[0].cost - found[0].share < rung - CLEAR):
            break
    return found


def _find(codes: NDArray[np.uint32], trie: Trie, edits: Edits, limit: float) -> list[Found]:
    nodes, costs, counts, _ = _search(
        codes, trie.children, trie.share, edits.best, edits.ids, edits.keys, edits.first, edits.printed, edits.length,
        edits.cost, edits.flat, np.float32(limit),
    )  # fmt: skip
    found = [
        Found(trie.words[trie.word[node]], round(float(cost), 4), int(count), float(trie.share[node]))
        for node, cost, count in zip(nodes.tolist(), costs.tolist(), counts.tolist(), strict=True)
        if node
    ]
    return sorted(found, key=lambda each: (each.cost - each.share, each.word))


@njit(cache=True)
def _build(codes, ends, shares):
    nodes, start, before = 1, 0, 0
    for k in range(len(ends)):  # words are sorted: new nodes are what a word does not share with the one before
        same = 0
        if k:
            while same < ends[k] - start and same < start - before and codes[start + same] == codes[before + same]:
                same += 1
        nodes += ends[k] - start - same
        before, start = start, ends[k]
    children = np.zeros((nodes, 28), np.int32)
    share = np.full(nodes, -np.inf, np.float32)
    word = np.full(nodes, -1, np.int32)
    used, start = 1, 0
    for k in range(len(ends)):
        node = 0
        for i in range(start, ends[k]):
            if children[node, codes[i]] == 0:
                children[node, codes[i]] = used
                used += 1
            node = children[node, codes[i]]
        share[node], word[node] = shares[k], k
        start = ends[k]
    return children, share, word


@njit(cache=True)
def _best_below(children, share, slope, lengths):
    best = np.full((len(share), lengths), -np.inf, np.float32)
    for node in range(len(share) - 1, -1, -1):  # children come after their parents
        best[node, 0] = share[node]
        for child in children[node]:
            if child:
                for size in range(lengths - 1):
                    best[node, size + 1] = max(best[node, size + 1], best[child, size])
    for node in range(len(share)):
        for size in range(1, lengths):
            best[node, size] = max(best[node, size], best[node, size - 1] - slope)
        for size in range(lengths - 2, -1, -1):
            best[node, size] = max(best[node, size], best[node, size + 1] - slope)
    return best


@njit(cache=True)
def letter_of(code):
    if 97 <= code <= 122:
        return code - 97
    if 65 <= code <= 90:
        return code - 65
    if code == 39 or code == 0x2019:
        return 26
    return 27 if code == 45 else -1


@njit(cache=True)
def _search(codes, children, share, best, ids, keys, first, printed, length, cost, flat, limit):
    n = len(codes)
    at = np.full((n + 1, 4), -1, np.int32)  # row of `keys` for the piece of each length that starts at each place
    for i in range(n + 1):
        key = 0
        for size in range(min(3, n - i) + 1):
            if size:
                code = codes[i + size - 1]
                key |= (ids[code] if code < len(ids) else 1) << (8 * (size - 1))
            row = np.searchsorted(keys, key)
            if row < len(keys) and keys[row] == key:
                at[i, size] = row
    kept = np.zeros(MOST, np.int32)
    kept_cost = np.zeros(MOST, np.float32)
    kept_edits = np.zeros(MOST, np.int32)
    kept_score = np.full(MOST, limit, np.float32)
    worst = 0  # place in `kept` of the worst word
    depth = 1024
    s_node = np.empty(depth, np.int32)
    s_i = np.empty(depth, np.int32)
    s_edits = np.empty(depth, np.int32)
    s_state = np.empty(depth, np.int32)  # 1: a letter was put in just now; 2: a flat edit was made
    s_cost = np.empty(depth, np.float32)
    s_node[0], s_i[0], s_edits[0], s_state[0], s_cost[0] = 0, 0, 0, 0, 0.0
    bound = limit
    top, steps = 1, 0
    while top and steps < STEPS:
        steps += 1
        top -= 1
        node, i, done, state, paid = s_node[top], s_i[top], s_edits[top], s_state[top], s_cost[top]
        if paid - best[node, n - i] >= bound:
            continue
        if i == n and paid - share[node] < bound:
            place = worst
            for k in range(MOST):
                if kept[k] == node:
                    place = k
            if kept[place] != node or kept_score[place] > paid - share[node]:
                kept[place], kept_cost[place], kept_edits[place] = node, paid, done
                kept_score[place] = paid - share[node]
                worst = np.argmax(kept_score)
                bound = min(kept_score[worst], kept_score.min() + SPREAD)
        if top + 120 >= depth:  # never met in practice; a bound all the same
            continue
        if done < (EDITS if n > SHORT else EDITS - 1):
            # a flat edit, once
            if state < 2 and i < n:
                if paid + flat[2] - best[node, n - i - 1] < bound:
                    s_node[top], s_i[top], s_edits[top], s_state[top] = node, i + 1, done + 1, 2
                    s_cost[top] = paid + flat[2]
                    top += 1
                same = letter_of(codes[i])
                for letter in range(26 if paid + flat[0] - best[node, n - i] < bound else 0):
                    child = children[node, letter]
                    if child and letter != same and paid + flat[0] - best[child, n - i - 1] < bound:
                        s_node[top], s_i[top], s_edits[top], s_state[top] = child, i + 1, done + 1, 2
                        s_cost[top] = paid + flat[0]
                        top += 1
            if state == 0:
                for letter in range(26 if paid + flat[1] - best[node, n - i + 1] < bound else 0):
                    child = children[node, letter]
                    if child and paid + flat[1] - best[child, n - i] < bound:
                        s_node[top], s_i[top], s_edits[top], s_state[top] = child, i, done + 1, 3
                        s_cost[top] = paid + flat[1]
                        top += 1
            # learned ones
            for size in range(min(3, n - i) + 1):
                row = at[i, size]
                if row < 0 or (size == 0 and state & 1):
                    continue
                for e in range(first[row], first[row + 1]):  # the likeliest last: what is put on last is taken up first
                    if top + 2 >= depth or paid + cost[e] - best[node, n - i - size + length[e]] >= bound:
                        continue
                    child = node
                    for k in range(length[e]):
                        child = children[child, printed[e, k]]
                        if child == 0:
                            break
                    if (child or length[e] == 0) and paid + cost[e] - best[child, n - i - size] < bound:
                        s_node[top], s_i[top], s_edits[top], s_state[top] = (
                            child,
                            i + size,
                            done + 1,
                            (state & 2) | (size == 0),
                        )
                        s_cost[top] = paid + cost[e]
                        top += 1
        if i < n:
            letter = letter_of(codes[i])
            if letter >= 0 and children[node, letter] and not (i and 65 <= codes[i] <= 90):
                s_node[top], s_i[top], s_edits[top], s_state[top] = children[node, letter], i + 1, done, state & 2
                s_cost[top] = paid
                top += 1
            elif letter >= 0 and children[node, letter] and done < EDITS:  # a capital inside a word
                s_node[top], s_i[top], s_edits[top], s_state[top] = children[node, letter], i + 1, done + 1, state & 2
                s_cost[top] = paid + CAPITAL
                top += 1
    return kept, kept_cost, kept_edits, steps
