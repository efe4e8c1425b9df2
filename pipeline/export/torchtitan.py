"""Format `torchtitan`: the sources of its interleaved data loader as Python to paste, and the documents as Parquet.

torchtitan's configurations are Python. Its loader packs each source into sequences of `seq_len` tokens first and draws
among the packed sequences, so that a weight is a share of tokens.
"""

from __future__ import annotations

from pipeline.export.base import Export, Format
from pipeline.export.documents import glob, write_parquet

HEAD = '''\
"""A mix for torchtitan 0.3: `dataloader` goes into a Trainer.Config. Weights are shares of tokens."""
# of the run {run!r}

from datasets import load_dataset
from torchtitan.hf_datasets import DatasetConfig
from torchtitan.hf_datasets.text_datasets import DATASETS, HFDataSource, InterleavedHuggingFaceTextDataLoader

DATASETS["mixwright"] = DatasetConfig(
    path="",
    loader=lambda path: load_dataset("parquet", data_files=path, split="train"),
    sample_processor=lambda sample: sample["text"],
)

dataloader = InterleavedHuggingFaceTextDataLoader.Config(
    sources=[
'''
SOURCE = (
    '        HFDataSource(dataset="mixwright", dataset_path={path!r}, weight={weight!r}, infinite=True),  # {name}\n'
)
TAIL = "    ],\n    seed={seed!r},\n)\n"


def _config(export: Export) -> None:
    sources = [
        SOURCE.format(path=glob(export, domain), weight=domain.weight, name=domain.name)
        for domain in export.mix.weighted
    ]
    text = HEAD.format(run=export.mix.run) + "".join(sources) + TAIL.format(seed=export.mix.seed)
    export.folder.write_text("torchtitan_mix.py", text)


FORMAT = Format(_config, write_parquet)
