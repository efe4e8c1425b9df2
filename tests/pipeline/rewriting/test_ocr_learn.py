"""A table learned from pairs undoes the errors of those pairs; files that are no table are named."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.ocr.edits import DEFAULT, fold, load_edits, save_edits
from classifiers.ocr.lexicon import load_lexicon
from pipeline.rewriting.ocr_cleanup import Params, load
from pipeline.rewriting.ocr_learn import differences, learn, main

LEXICON = load_lexicon()
PRINTED = (
    "the prisoner was charged with the robbery of the house and said that he had been there when they came from the "
    "street which was then very dark and he went home with his wife and children after the others had gone away "
) * 3


def misread(text: str, seed: int) -> str:
    """An eighth of the `h` read as `Q`, which no table knows, and specks before words."""
    rng = np.random.default_rng(seed)
    text = "".join("Q" if char == "h" and rng.random() < 0.125 else char for char in text)
    return " ".join(f"^{word}" if rng.random() < 0.1 else word for word in text.split())


PAIRS = [(misread(PRINTED, seed), PRINTED) for seed in range(30)]


def test_learned_edits_have_the_share_that_was_misread() -> None:
    table = learn(PAIRS, "made up", LEXICON)
    costs = {(read, printed): cost for read, printed, cost in table.edits}
    share = sum(
        math.exp(-cost) for (read, printed), cost in costs.items() if (read, printed) in {("Q", "h"), ("q", "h")}
    )
    assert share == pytest.approx(0.125, abs=0.02)  # the capital of a word's first letter is folded
    assert table.before["^"] < 0.1
    assert table.characters == sum(len(printed.strip()) for _, printed in PAIRS)


def test_a_table_of_ones_own_is_used_and_mends_what_the_packaged_one_does_not(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("\n".join(json.dumps({"ocr": read, "gold": printed}) for read, printed in PAIRS))
    out = tmp_path / "table.json"
    assert main([str(pairs), "--read", "ocr", "--printed", "gold", "--out", str(out)]) == 0
    document = {"id": "a", "text": misread(PRINTED, 99)}
    assert load(Params(confusions=out), 0).rewrite(document)[0][0].text.lower() == PRINTED.strip()
    assert load(Params(), 0).rewrite(document)[0][0].text.lower() != PRINTED.strip()


def test_the_same_pairs_give_the_same_bytes_and_a_table_survives_its_file(tmp_path: Path) -> None:
    first, second = learn(PAIRS, "a", LEXICON), learn(PAIRS, "a", LEXICON)
    save_edits(first, tmp_path / "first.json")
    save_edits(second, tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    assert load_edits(tmp_path / "first.json") == first


def test_the_packaged_table_says_what_it_was_learned_from() -> None:
    table = load_edits(DEFAULT)
    assert "samples/ocr.parquet" in table.origin
    assert table.characters > 500_000


@pytest.mark.parametrize(
    ("content", "said"),
    [("{}", "origin: Field required"), ("[1", "Invalid JSON"), ('{"format": 2}', "format: Input should be 1")],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "table.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="table.json: .*ocr_learn") as error:
        load_edits(file)
    assert said in str(error.value)
    with pytest.raises(ValueError, match="none.json"):
        load_edits(tmp_path / "none.json")


def test_bad_pairs_end_with_status_2_and_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"text": "tbe"}\n')
    assert main([str(file), "--out", str(tmp_path / "t.json")]) == 2
    assert "pairs.jsonl: no record has both fields, 'text' and 'truth'" in capsys.readouterr().err


@given(st.text("abc ", max_size=30), st.text("abc ", max_size=30))
def test_differences_put_both_texts_together_again(read: str, printed: str) -> None:
    pieces = list(differences(read, printed))
    assert "".join(piece[0] for piece in pieces) == read
    assert "".join(piece[1] for piece in pieces) == printed
    assert all((a == b) == same for a, b, _, same in pieces)
    assert all(read[at : at + len(a)] == a for a, _, at, _ in pieces)


@given(st.text(max_size=12))
def test_folding_twice_is_folding_once(word: str) -> None:
    assert fold(fold(word)) == fold(word)


def test_fold_keeps_the_capital_that_was_misread() -> None:
    assert [fold(word) for word in ("The", "THE", "JameB", "wAs")] == ["the", "the", "jameB", "wAs"]


def test_a_mix_that_names_no_table_is_told_so_when_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere.json: No such file"):
        Params(confusions=tmp_path / "nowhere.json")
