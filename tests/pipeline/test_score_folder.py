"""Protects `mixwright score`: metrics by file, whole items sampled, wrong input named before a model loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.score_folder import score_folder, table

ARC = Path(__file__).parents[2] / "samples" / "evals" / "arc_easy.jsonl.gz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama over bytes with random weights."""
    torch.manual_seed(0)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate([*letters, "<s>"])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    config = LlamaConfig(
        vocab_size=257, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=512, initializer_range=0.5,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("model")
    LlamaForCausalLM(config).save_pretrained(out)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>").save_pretrained(out)
    return out


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"sentence_good": "They are.", "sentence_bad": "They is.", "UID": "a", "pairID": "0"}\n')
    return file


def test_metrics_of_every_file_as_json_and_as_a_table(folder: Path, pairs: Path) -> None:
    words = ["score", str(folder), "--evals", str(ARC), "--evals", str(pairs), "--items", "5", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found[str(ARC)]) == ["items", "truncated", "bpb", "acc", "acc_per_char", "acc_per_byte", "acc_uncond"]
    assert found[str(ARC)]["items"] == 5
    assert found[str(ARC)]["bpb"] > 0
    assert list(found[str(pairs)]) == ["items", "truncated", "acc", "acc_per_char", "acc_per_byte"]
    lines = table(found).splitlines()
    assert lines[0].split() == ["eval", *found[str(ARC)]]
    assert [line.split()[0] for line in lines[1:]] == [str(ARC), str(pairs)]


def test_wrong_input_is_named(folder: Path, tmp_path: Path, pairs: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        score_folder(folder, [tmp_path / "nowhere.jsonl"])
    with pytest.raises(InputError, match="holds no config.json"):
        score_folder(tmp_path, [pairs])
    pairs.write_text('{"sentence_good": "They are.", "sentence_bad": ""}\n')
    with pytest.raises(InputError, match=r"pairs.jsonl, line 1: `sentence_bad` is empty"):
        score_folder(folder, [pairs])
