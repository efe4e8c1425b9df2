"""Protects that trainers' own libraries read the exports, and that what they then deal out has the mix's shares.

They are no dependencies of Mixwright and their pins exclude its locked versions, so that each test runs where its
library is installed, and is skipped elsewhere. docs/export.md says which versions were tried.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tests.pipeline.export.conftest import CONTEXT, Exported

CLOSE = 0.01


def shares_are_close(export: Exported, library: str, tokens: dict[str, int]) -> None:
    error = export.error(tokens)
    print(f"\n{library}: {error:.4%} of {sum(tokens.values()):,} tokens")
    assert error < CLOSE


def blocks(ids: np.ndarray) -> set[bytes]:
    """Return the samples of `CONTEXT` tokens that a domain's array is cut into."""
    return {ids[at : at + CONTEXT].tobytes() for at in range(0, len(ids) // CONTEXT * CONTEXT, CONTEXT)}


def test_olmo_core_builds_the_mixture(exported: Callable[[str], Exported]) -> None:
    source_mixture = pytest.importorskip("olmo_core.data.source_mixture", reason="needs ai2-olmo-core")
    export = exported("olmo-core")
    sources = source_mixture.SourceMixtureList.from_yaml(export.folder / "source_mixture.yaml")
    sources.validate()
    for source in sources.sources:
        source.validate()
    config = source_mixture.SourceMixtureDatasetConfig(
        source_list=sources, requested_tokens=400_000, global_batch_size=16 * CONTEXT, quiet=True, render_tables=False
    )
    dataset = config.build(npdtype=np.uint16, sequence_length=CONTEXT)
    shares_are_close(
        export, "OLMo-core", {each.name: sum(path.tokens for path in each.path_tokens) for each in dataset.sources}
    )


def test_megatron_core_reads_and_blends(
    exported: Callable[[str], Exported], own_ids: dict[str, np.ndarray], tmp_path: Path
) -> None:
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason="needs megatron-core")
    from megatron.core.datasets.blended_megatron_dataset_builder import BlendedMegatronDatasetBuilder
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.utils import get_blend_from_list

    export = exported("megatron")
    blend = get_blend_from_list((export.folder / "blend.txt").read_text().split())
    for prefix, domain in zip(blend[0], export.mix.weighted, strict=True):
        dataset = indexed.IndexedDataset(prefix)
        assert len(dataset) == domain.documents
        assert np.array_equal(np.concatenate([dataset[i] for i in range(len(dataset))]), own_ids[domain.name])

    class Ends:
        eod = export.json("mix.json")["ids"]["end_of_text_id"]
        vocab_size = export.json("mix.json")["ids"]["vocabulary"]
        unique_identifiers = "test"

    config = GPTDatasetConfig(
        random_seed=1, sequence_length=CONTEXT, blend=blend, split="100,0,0", path_to_cache=str(tmp_path),
        tokenizer=Ends(), reset_position_ids=False, reset_attention_mask=False, eod_mask_loss=False,
        create_attention_mask=False,
    )  # fmt: skip
    count = 400_000 // CONTEXT
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        train, *_ = BlendedMegatronDatasetBuilder(GPTDataset, [count, 0, 0], lambda: True, config).build()
    finally:
        torch.distributed.destroy_process_group()
    which = np.bincount(train.dataset_index[:count], minlength=len(blend[0]))
    assert len(train[0]["tokens"]) == CONTEXT
    shares_are_close(
        export, "Megatron Core", {Path(p).name: int(n) * CONTEXT for p, n in zip(blend[0], which, strict=True)}
    )


def test_mosaicml_streaming_deals_out_the_proportions(
    exported: Callable[[str], Exported], own_ids: dict[str, np.ndarray]
) -> None:
    streaming = pytest.importorskip("streaming", reason="needs mosaicml-streaming")
    export = exported("mosaicml")
    plan = yaml.safe_load((export.folder / "streams.yaml").read_text())
    streams = [streaming.Stream(**each) for each in plan["streams"].values()]
    names, tokens = list(plan["streams"]), dict.fromkeys(plan["streams"], 0)
    held = {name: blocks(own_ids[name]) for name in names}

    class Watched(streaming.StreamingDataset):
        def __getitem__(self, at):
            sample = super().__getitem__(at)
            name = names[self.stream_per_shard[self.spanner[at][0]]]
            assert sample["tokens"].astype("<u2").tobytes() in held[name]
            tokens[name] += len(sample["tokens"])
            return sample

    dataset = Watched(streams=streams, epoch_size=plan["epoch_size"], batch_size=1, shuffle=True, shuffle_seed=1)
    assert sum(1 for _ in dataset) == 400_000 // CONTEXT
    shares_are_close(export, "MosaicML Streaming", tokens)


def test_litdata_deals_out_the_weights(exported: Callable[[str], Exported], own_ids: dict[str, np.ndarray]) -> None:
    litdata = pytest.importorskip("litdata", reason="needs litdata")
    export = exported("litdata")
    plan = export.json("combined.json")
    one = litdata.StreamingDataset(plan["input_dirs"][0], item_loader=litdata.TokensLoader(block_size=CONTEXT))
    first = own_ids[plan["names"][0]]
    assert len(one) == len(first) // CONTEXT
    assert all(np.array_equal(one[i], first[i * CONTEXT : (i + 1) * CONTEXT]) for i in (0, 1, len(one) - 1))
    held = set().union(*(blocks(own_ids[name]) for name in plan["names"]))
    tokens = dict.fromkeys(plan["names"], 0)
    for seed in range(20):  # an iteration ends with the first domain, so several are needed to see the shares
        datasets = [
            litdata.StreamingDataset(place, item_loader=litdata.TokensLoader(block_size=CONTEXT), shuffle=True)
            for place in plan["input_dirs"]
        ]
        combined = litdata.CombinedStreamingDataset(datasets, **{**plan["CombinedStreamingDataset"], "seed": seed})
        assert all(sample.tobytes() in held for sample in combined)
        for name, state in zip(plan["names"], combined.state_dict(0, 1).values(), strict=True):
            tokens[name] += state["num_samples_yielded"] * CONTEXT
    shares_are_close(export, "litdata", tokens)


def test_torchtitan_builds_its_loader(
    exported: Callable[[str], Exported], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchtitan.hf_datasets.text_datasets", reason="needs torchtitan")
    import datasets
    from tokenizers import Tokenizer

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    export = exported("torchtitan")
    config = runpy.run_path(str(export.folder / "torchtitan_mix.py"))["dataloader"]
    names = [Path(source.dataset_path).parent.name for source in config.sources]
    assert {name: source.weight for name, source in zip(names, config.sources, strict=True)} == export.weights
    own = Tokenizer.from_file(str(export.mix.store.local(export.mix.vocabulary) / "tokenizer.json"))

    class Encoder:
        def encode(self, text: str, add_bos: bool, add_eos: bool) -> list[int]:
            return [*own.encode(text, add_special_tokens=False).ids, 0]

    loader = config.build(dp_world_size=1, dp_rank=0, tokenizer=Encoder(), seq_len=CONTEXT, local_batch_size=1)
    sources = loader.dataset._datasets
    tokens = dict.fromkeys(names, 0)
    for name, source in zip(names, sources, strict=True):  # count what each source deals out, as it does
        source.__class__ = type("Counted", (type(source),), {"__iter__": counting(type(source), name, tokens)})
    for _, _ in zip(range(40_000), loader.dataset, strict=False):
        pass
    shares_are_close(export, "torchtitan", tokens)


def counting(kind: type, name: str, tokens: dict[str, int]) -> Callable:
    def deal(self):
        for sample, label in kind.__iter__(self):
            tokens[name] += len(sample["input"])
            yield sample, label

    return deal
