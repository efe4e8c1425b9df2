"""Protects exports of token ids: the run's own ids, in layouts that an independent reader finds whole."""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from pipeline.errors import InputError
from pipeline.export.ids import encoded, open_vocabulary
from pipeline.export.megatron import megatron_dtype, write_index
from pipeline.export.mix import Mix, read_mix
from pipeline.run import Run
from pipeline.shards import content_of
from pipeline.tokenize import tokenize
from pipeline.units import Job
from tests.pipeline.export.conftest import CONTEXT, Exported


def read_indexed(prefix: Path) -> list[np.ndarray]:
    """Read a data set of Megatron by its documented layout alone."""
    index, data = (
        prefix.with_name(f"{prefix.name}.idx").read_bytes(),
        prefix.with_name(f"{prefix.name}.bin").read_bytes(),
    )
    magic, version, code, sequences, documents = struct.unpack_from("<9sQBQQ", index)
    assert (magic, version) == (b"MMIDIDX\0\0", 1)
    kind = {4: "<i4", 8: "<u2"}[code]
    lengths = np.frombuffer(index, "<i4", sequences, 34)
    pointers = np.frombuffer(index, "<i8", sequences, 34 + 4 * sequences)
    boundaries = np.frombuffer(index, "<i8", documents, 34 + 12 * sequences)
    assert 34 + 12 * sequences + 8 * documents == len(index)
    assert boundaries.tolist() == list(range(sequences + 1))
    return [np.frombuffer(data, kind, n, at) for n, at in zip(lengths, pointers, strict=True)]


def test_flat_arrays_are_what_the_proxies_are_trained_on(exported: Callable[[str], Exported], own_ids) -> None:
    export = exported("bin")
    said = export.json("mix.json")["ids"]
    assert said["dtype"] == "uint16"
    for name in export.weights:
        assert np.array_equal(np.fromfile(export.folder / f"{name}.bin", dtype="<u2"), own_ids[name])
    tokenizer = Tokenizer.from_file(str(export.folder / said["tokenizer"]))
    assert tokenizer.token_to_id(said["end_of_text"]) == said["end_of_text_id"]
    assert tokenizer.get_vocab_size() == said["vocabulary"] == 1000


def test_indexed_data_sets_hold_a_document_a_sequence(exported: Callable[[str], Exported], own_ids) -> None:
    export = exported("megatron")
    end = export.json("mix.json")["ids"]["end_of_text_id"]
    for domain in export.mix.weighted:
        documents = read_indexed(export.folder / domain.name)
        assert len(documents) == domain.documents
        assert all(each[-1] == end for each in documents)
        assert np.array_equal(np.concatenate(documents), own_ids[domain.name])


def test_a_blend_names_weights_and_prefixes(exported: Callable[[str], Exported]) -> None:
    export = exported("megatron")
    words = (export.folder / "blend.txt").read_text().split()
    assert words == export.json("blend.json")
    assert {Path(prefix).name: float(weight) for weight, prefix in zip(words[::2], words[1::2], strict=True)} == (
        export.weights
    )


@given(st.lists(st.integers(1, 2**31 - 1), max_size=50))
def test_the_index_points_at_any_lengths(lengths: list[int]) -> None:
    file = BytesIO()
    write_index(file, array("i", lengths), np.dtype("<i4"))
    _, _, code, sequences, documents = struct.unpack_from("<9sQBQQ", file.getvalue())
    assert (code, sequences, documents) == (4, len(lengths), len(lengths) + 1)
    pointers = np.frombuffer(file.getvalue(), "<i8", sequences, 34 + 4 * sequences)
    assert pointers.tolist() == [4 * sum(lengths[:i]) for i in range(len(lengths))]


def test_olmo_core_files_and_mixture_fit_together(exported: Callable[[str], Exported], own_ids) -> None:
    export = exported("olmo-core")
    sources = yaml.safe_load((export.folder / "source_mixture.yaml").read_text())["sources"]
    assert {source["source_name"]: source["target_ratio"] for source in sources} == export.weights
    for source, domain in zip(sources, export.mix.weighted, strict=True):
        held = np.concatenate([np.fromfile(path, dtype="<u2") for path in source["paths"]])
        assert np.array_equal(held, own_ids[domain.name])
        allowed = int(len(held) * source["max_source_fraction"] * source["max_repetition_ratio"])
        assert allowed >= int(export.mix.target_tokens * source["target_ratio"]), "OLMo-core refuses less"
        assert source["max_repetition_ratio"] < max(1, export.mix.repetition(domain)) + 0.03


def test_mds_shards_hold_whole_samples(exported: Callable[[str], Exported], own_ids) -> None:
    export = exported("mosaicml")
    for name in export.weights:
        (shard,) = export.json(f"{name}/index.json")["shards"]
        data = (export.folder / name / shard["raw_data"]["basename"]).read_bytes()
        assert len(data) == shard["raw_data"]["bytes"]
        (count,) = struct.unpack_from("<I", data)
        starts = np.frombuffer(data, "<u4", count + 1, 4)
        assert starts[-1] == len(data)
        assert json.loads(data[4 * (count + 2) : starts[0]])["column_encodings"] == [f"ndarray:int32:{CONTEXT}"]
        assert count == shard["samples"] == len(own_ids[name]) // CONTEXT
        assert np.array_equal(np.frombuffer(data, "<i4", offset=starts[0]), own_ids[name][: count * CONTEXT])
    streams = yaml.safe_load((export.folder / "streams.yaml").read_text())
    assert {name: stream["proportion"] for name, stream in streams["streams"].items()} == export.weights
    assert streams["epoch_size"] == 400_000 // CONTEXT


def test_litdata_chunks_hold_all_tokens(
    exported: Callable[[str], Exported], own_ids, run_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.export import litdata
    from pipeline.export.write import write_export

    monkeypatch.setattr(litdata, "CHUNK_BYTES", 10_000)  # so that a domain has several
    write_export(run_folder, "litdata", str(tmp_path / "l"), weights_only=False, context=2, say=lambda _: None)
    export = Exported(read_mix(run_folder), tmp_path / "l")
    for name in export.weights:
        held = []
        for chunk in export.json(f"{name}/index.json")["chunks"]:
            data = (export.folder / name / chunk["filename"]).read_bytes()
            assert struct.unpack_from("<III", data) == (1, 12, len(data))
            assert len(data) == chunk["chunk_bytes"] == 12 + 2 * chunk["dim"]
            held.append(np.frombuffer(data, "<u2", offset=12))
        assert len(held) > 1
        assert np.array_equal(np.concatenate(held), own_ids[name])


# the target's own tokenizer


@pytest.fixture
def mix(run_folder: str) -> Mix:
    return read_mix(run_folder)


def target(mix: Mix, folder: Path, specials: list[str]) -> Mix:
    """Return the mix with a tokenizer over bytes as the target's."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate([*letters, *specials])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(specials)
    tokenizer.save(str(folder / "tokenizer.json"))
    path = str(folder / "tokenizer.json")
    return replace(mix, target_tokenizer=path, target_fingerprint=content_of(path))


def test_the_end_of_text_is_the_target_tokenizers_own(mix: Mix, tmp_path: Path) -> None:
    assert open_vocabulary(target(mix, tmp_path, ["<s>", "</s>"])).end == "</s>"
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"eos_token": {"content": "<s>"}}), encoding="utf-8")
    vocabulary = open_vocabulary(target(mix, tmp_path, ["<s>", "</s>"]))
    assert (vocabulary.end, vocabulary.end_id, vocabulary.size) == ("<s>", 256, 258)


def test_a_tokenizer_without_an_end_of_text_is_refused(mix: Mix, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has none of .*</s>.*tokenizer_config\.json"):
        open_vocabulary(target(mix, tmp_path, ["<s>"]))
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": "<end>"}', encoding="utf-8")
    with pytest.raises(InputError, match="has no `<end>`"):
        open_vocabulary(target(mix, tmp_path, ["<s>"]))


def test_another_tokenizer_than_the_run_counted_with_is_refused(mix: Mix, tmp_path: Path) -> None:
    other = target(mix, tmp_path, ["</s>"])
    Path(str(other.target_tokenizer)).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is not the file that tiny-.* counted tokens with"):
        open_vocabulary(other)
    Path(str(other.target_tokenizer)).unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        open_vocabulary(other)


def test_exported_ids_are_the_tokens_that_the_weights_count(mix: Mix, curated: Run, tmp_path: Path) -> None:
    other = target(mix, tmp_path, ["<s>", "</s>"])
    (questions,) = [domain for domain in other.domains if domain.name == "questions"]
    (part,) = questions.parts
    inputs = {"documents": part.documents, "selection": str(part.selection), "vocabulary": other.vocabulary}
    (tmp_path / "tokens").mkdir()
    counts = tokenize(
        Job(
            args={},
            inputs={role: curated.store.local(ref) for role, ref in inputs.items()},
            place={"target": other.target_tokenizer},
            out=tmp_path / "tokens",
            counts=lambda role: {"vocab_size": 1000},
        )
    )
    vocabulary = open_vocabulary(other)
    documents = [each for batch in encoded(other, vocabulary, part, vocabulary.dtype()) for each in batch]
    assert len(documents) == counts["documents"]
    assert sum(map(len, documents)) == counts["target_tokens"] > counts["tokens"]
    assert all(each[-1] == 257 and 257 not in each[:-1] for each in documents)


@pytest.mark.parametrize(
    ("size", "flat", "megatron"),
    [
        (65_499, "uint16", "uint16"),
        (65_500, "uint16", "int32"),
        (65_536, "uint16", "int32"),
        (65_537, "uint32", "int32"),
    ],
)
def test_large_vocabularies_take_four_bytes(mix: Mix, size: int, flat: str, megatron: str) -> None:
    vocabulary = replace(open_vocabulary(mix), size=size)
    assert vocabulary.dtype().name == flat
    assert megatron_dtype(vocabulary).name == megatron
