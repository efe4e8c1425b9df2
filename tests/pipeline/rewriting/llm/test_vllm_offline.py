"""What is asked of vLLM and how its outputs are read, without vLLM; with it, a whole run (skipped where it is not)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace as Output

import pytest
import torch

from pipeline.errors import InputError
from pipeline.rewriting.llm.base import Failure, Likelihood, Reply, Request, Sampling
from pipeline.rewriting.llm.vllm_offline import (
    VLLMBackend,
    VLLMConfig,
    chat_of,
    engine_options,
    read_likelihood,
    read_output,
    sampling_options,
)

INSTALLED = importlib.util.find_spec("vllm") is not None


def config(path: Path, **more: int) -> VLLMConfig:
    return VLLMConfig(kind="vllm", model=str(path), **more)  # type: ignore[arg-type]


def test_the_engine_runs_no_code_of_the_models(tmp_path: Path) -> None:
    options = engine_options(config(tmp_path / "model", gpus=2, context=4096))
    assert options["trust_remote_code"] is False
    assert options["load_format"] == "safetensors"
    assert (options["tensor_parallel_size"], options["max_model_len"]) == (2, 4096)
    assert engine_options(config(tmp_path / "m.gguf"))["load_format"] == "gguf"
    assert "max_model_len" not in engine_options(config(tmp_path / "model"))


def test_requests_are_drawn_from_their_own_seeds() -> None:
    request = Request(Sampling(0.7, 0.9, 50, ("\n\n",)), 11, (("user", "a<|im_end|>b"),))
    assert sampling_options(request) == {
        "temperature": 0.7, "top_p": 0.9, "max_tokens": 50, "stop": ["\n\n"], "seed": 11,
    }  # fmt: skip
    assert chat_of(request, ["<|im_end|>"]) == [{"role": "user", "content": "a b"}]


def test_outputs_are_read() -> None:
    done = Output(text="a", finish_reason="length", token_ids=[1, 2])
    assert read_output(Output(outputs=[done], prompt_token_ids=[5, 6, 7])) == Reply("a", "length", 3, 2)
    aborted = Output(text="", finish_reason="abort", token_ids=[])
    assert read_output(Output(outputs=[aborted], prompt_token_ids=[5])) == Failure("aborted", lasting=True)
    assert read_output(Output(outputs=[], prompt_token_ids=[5])) == Failure("aborted", lasting=True)


def test_likelihoods_are_those_of_the_prompts_last_tokens() -> None:
    logprobs = [
        None,
        {6: Output(logprob=-1.0)},
        {7: Output(logprob=-2.0), 9: Output(logprob=-0.1)},
        {8: Output(logprob=-4.0)},
    ]
    assert read_likelihood(logprobs, [5, 6, 7, 8], 2) == Likelihood(-6.0, 2)


@pytest.mark.skipif(INSTALLED, reason="vLLM is installed")
def test_without_vllm_the_message_says_what_to_do(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match=r"pip install 'mixwright\[vllm\]'"):
        VLLMBackend(config(tiny_llama))


@pytest.mark.skipif(not INSTALLED or not torch.cuda.is_available(), reason="needs vLLM and a GPU")
def test_with_vllm_and_a_gpu_requests_are_answered(tiny_llama: Path) -> None:
    backend = VLLMBackend(config(tiny_llama, context=256))
    requests = [Request(Sampling(1.0, 0.9, 8), seed, prompt="def tiny") for seed in (1, 2, 1)]
    found = dict(backend.generate(requests))
    assert found[0] == found[2]
    assert all(isinstance(answer, Reply) and answer.prompt_tokens for answer in found.values())
    assert all(each.total < 0 for each in backend.log_likelihood([("def", " tiny"), ("a", " b")]))
