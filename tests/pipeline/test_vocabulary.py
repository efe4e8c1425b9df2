"""Any tokenizer.json serves the proxies: documents are ended, ids fit the arrays, ratios to the target are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.own_tokenizer import END_OF_TEXT, open_tokenizer, vocabulary_size
from pipeline.run import Run
from pipeline.tokenize import check
from pipeline.units import Unit
from tests.pipeline.conftest import SAMPLES, walk_here

MANY = 66_000


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BPE with more ids than 16 bits hold, no end of text, and the habit of cutting at 8 tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    texts = pl.read_parquet(SAMPLES / "wikipedia.parquet")["text"].head(50).to_list()
    tokenizer.train_from_iterator(texts, trainer=trainer)
    tokenizer.add_tokens([f"<unused{i}>" for i in range(MANY)])
    tokenizer.enable_truncation(8)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def test_a_tokenizer_from_elsewhere_cuts_documents_to_32_bits(
    foreign: Path, tiny_yaml: Callable[..., Path], tiny_data: Path
) -> None:
    own = f"tokenize: {{tokenizer: {foreign}}}"
    path = tiny_yaml(("tokenize: {vocab_size: 1000, sample: 300k}", own))
    assert load_mix(path).config.tokenize.vocab_size == 600 + MANY + 1
    run = walk_here(path, until="requests")
    (vocabulary,) = run.of("vocabulary")
    tokenizer = Tokenizer.from_file(str(run.store.local(vocabulary.ref) / "tokenizer.json"))
    assert run.manifest(vocabulary)["counts"] == {"vocab_size": 600 + MANY + 1}
    end = tokenizer.token_to_id(END_OF_TEXT)
    assert end == 600 + MANY
    known = pl.read_parquet(tiny_data / "questions.parquet")["text"].to_list()
    (unit,) = [unit for unit in run.of("tokenize") if unit.args["domain"] == "questions"]
    counts = run.manifest(unit)["counts"]
    assert counts["bytes_per_id"] == 4
    ids = np.fromfile(run.store.local(unit.ref) / "tokens.bin", dtype="<u4")
    assert len(ids) == counts["tokens"] == counts["target_tokens"]
    documents = np.split(ids, np.flatnonzero(ids == end) + 1)[:-1]
    assert len(documents) == counts["documents"] > 50
    assert all(tokenizer.decode(each[:-1].tolist()) in known for each in documents[:20])
    assert all(run.manifest(unit)["counts"]["steer"]["bytes"] > 0 for unit in run.of("requests"))


def test_the_ratio_to_the_target_is_measured_by_domain(tiny_yaml: Callable[..., Path], foreign: Path) -> None:
    """The target's BPE knows Wikipedia best, so Wikipedia has the fewest of its tokens a byte."""
    run = walk_here(tiny_yaml(("tokens: 400k}", f"tokens: 400k, tokenizer: {foreign}}}")), until="tokenize")
    rates: dict[str, list[int]] = {}
    for unit in run.of("tokenize"):
        counts, total = run.manifest(unit)["counts"], rates.setdefault(unit.args["domain"], [0, 0, 0])
        total[:] = [a + counts[key] for a, key in zip(total, ("tokens", "target_tokens", "bytes"), strict=True)]
    assert all(target != own for own, target, _ in rates.values())
    assert rates["wikipedia"][1] / rates["wikipedia"][2] < rates["ocr"][1] / rates["ocr"][2]


def test_ids_with_gaps_need_rows_up_to_the_largest(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 7}, unk_token="a"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    opened = open_tokenizer(tmp_path / "tokenizer.json")
    assert vocabulary_size(opened) == 1 + max(7, opened.token_to_id(END_OF_TEXT))


@pytest.mark.parametrize(("domain", "key"), [("ocr", "sources.ocr"), ("wikipedia.qa", "rewrite.wikipedia.qa")])
def test_a_domain_with_fewer_tokens_than_a_chunk_is_named(
    tiny_yaml: Callable[..., Path], domain: str, key: str
) -> None:
    run = Run.open(load_mix(tiny_yaml()))
    for name in run.config.domain_names():
        unit = Unit("tokenize", f"{name}/000", 1, {"domain": name})
        tokens = 128 if name == domain else 129
        run.store.publish(unit.ref, run.store.workspace(), {"counts": {"tokens": tokens}})
        run.units.setdefault("tokenize", []).append(unit)
    with pytest.raises(InputError, match=rf":\d+: `{key}`: domain `{domain}` has 128 tokens, .* one chunk of 129"):
        check(run)


def test_what_is_no_tokenizer_is_named(tiny_yaml: Callable[..., Path], foreign: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}')
    old = "tokenize: {vocab_size: 1000, sample: 300k}"
    for new, message in (
        ("{tokenizer: other.json}", r"`tokenize.tokenizer`: no such file: other.json"),
        (f"{{tokenizer: {tmp_path}/other.json}}", r"`tokenize.tokenizer`: `.*other.json` is no tokenizer.json"),
        (f"{{tokenizer: {foreign}, vocab_size: 600}}", r"`tokenize.vocab_size`: 600 is not the size of"),
    ):
        with pytest.raises(InputError, match=message):
            load_mix(tiny_yaml((old, f"tokenize: {new}")))
    with pytest.raises(InputError, match=r"`target.tokenizer`: `.*other.json` is no tokenizer.json"):
        load_mix(tiny_yaml(("tokens: 400k}", f"tokens: 400k, tokenizer: {tmp_path}/other.json}}")))
