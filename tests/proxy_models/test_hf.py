"""Protects the scores of Hugging Face folders: each equals the model's own log-softmax, row by row."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from proxy_corpus import EOT, SAMPLES, Corpus
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from proxy_models.hf import encode_for, load_hf, score_hf
from proxy_models.readers import read_requests
from proxy_models.requests import Request


@pytest.fixture(scope="module")
def folder(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Llama with random weights, saved as users have theirs; it has more embeddings than tokens."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=520, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    out = tmp_path_factory.mktemp("hf")
    LlamaForCausalLM(config).save_pretrained(out)
    PreTrainedTokenizerFast(tokenizer_object=corpus.tokenizer, eos_token=EOT).save_pretrained(out)
    return out


def test_scores_equal_the_models_own_log_softmax(folder: Path) -> None:
    model = load_hf(folder)
    requests = [*read_requests(SAMPLES / "evals" / "arc_easy.jsonl.gz")[:24], Request("text", "", "No context. " * 30)]
    found = encode_for(model, requests)
    expected = np.zeros(len(found))
    with torch.no_grad():
        for n, owner in enumerate(found.owner):
            row = torch.from_numpy(found.tokens[found.offsets[n] : found.offsets[n + 1]].astype(np.int64))
            logp = torch.log_softmax(model.model(row[None, :-1]).logits[0].double(), -1)
            each = logp.gather(1, row[1:, None])[:, 0]
            expected[owner] += each[found.first[n] - 1 :].sum().item()
    np.testing.assert_allclose(score_hf(model, found).logprob, expected, rtol=1e-5)


def test_the_start_token_stands_only_before_what_has_no_context(folder: Path) -> None:
    model = load_hf(folder)
    found = encode_for(model, [Request("a", "Why?", " So.", 0), Request("b", "", "Text.")])
    start = model.tokenizer.token_to_id(EOT)
    assert [int(found.tokens[at]) == start for at in found.offsets[:-1]] == [False, True]


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no config.json"):
        load_hf(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match=str(tmp_path)):
        load_hf(tmp_path)


class _Touch:
    """What a pickle of it does when it is read: create a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple:
        return Path.touch, (self.file,)


def test_nothing_that_a_folder_brings_is_run(folder: Path, tmp_path: Path) -> None:
    """Neither the code that its configuration names nor what its pickled weights would do; without asking anybody."""
    marker = tmp_path / "ran"
    coded = tmp_path / "coded"
    shutil.copytree(folder, coded)
    config = json.loads((coded / "config.json").read_text())
    names = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (coded / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": names}))
    (coded / "evil.py").write_text(f"from pathlib import Path\nPath({str(marker)!r}).touch()\n")
    with pytest.raises(ValueError, match=str(coded)):
        load_hf(coded)
    pickled = tmp_path / "pickled"
    shutil.copytree(folder, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save({"lm_head.weight": _Touch(marker)}, pickled / "pytorch_model.bin")
    with pytest.raises(ValueError, match="safetensors"):
        load_hf(pickled)
    assert not marker.exists()
