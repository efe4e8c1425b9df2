"""The numeric plan of a run: where and in which type the proxies compute.

It is chosen once per run and belongs to the key of every artefact trained or scored under it, because two
swarms that round differently must never be mixed.

torch.compile is asked for, not assumed: measured on two AMX cores it costs 37 CPU-seconds cold and 2 in every
process after, and then saves a fifth of the training time, which 44 quickstart proxies do not earn back.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

# Tokens of a step that fill a GPU: 32 models of preset 1m. An estimate: no GPU has measured it yet.
_GPU_TOKENS = 1 << 18


@dataclass(frozen=True)
class NumericPlan:
    """How numbers are computed.

    dtype: the type of activations and of the weights inside the forward pass (the master weights are always
    fp32). attention: ``manual`` is bmm, softmax, bmm; ``sdpa`` is torch's fused call. compile: whether
    training is compiled (scoring never is). torch: the version whose kernels produced the numbers. blas: what
    multiplies matrices, ``torch`` or ``numpy`` with its version (see ``blas.py``). stack_tokens: what a step of models
    that are trained together reads at most (see ``stack.py``); 0 where each is trained alone.
    """

    device: Literal["cpu", "cuda"]
    dtype: Literal["bfloat16", "float32"]
    attention: Literal["manual", "sdpa"]
    torch: str
    compile: bool = False
    blas: str = "torch"
    stack_tokens: int = 0

    @property
    def numpy_blas(self) -> bool:
        """Whether matrices are multiplied by numpy: fp32 ones on a CPU, for it has no bf16."""
        return self.blas != "torch" and self.by_hand and self.dtype == "float32"

    @property
    def by_hand(self) -> bool:
        """Whether the backward passes of ``kernels.py`` are used: on CPUs, where no compiler fuses them."""
        return self.device == "cpu" and not self.compile

    @property
    def torch_dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.dtype == "bfloat16" else torch.float32


def choose_plan(
    device: Literal["auto", "cpu", "cuda"] = "auto",
    compile: bool = False,
    say: Callable[[str], object] = print,
) -> NumericPlan:
    """Return the fastest plan of this machine and say in a line why it was chosen.

    bf16 on a CPU pays only where AMX tiles or AVX-512 dot products multiply it (here 3 times fp32 on a Zen 5
    with AVX-512); elsewhere it is emulated and slower than fp32. The
    backward pass of torch's fused attention is the hot spot in bf16 on a CPU, hence ``manual`` there and
    ``sdpa`` otherwise. compile: try to; on a CPU it needs g++, without which the plan is eager and says so.
    Raises ValueError when ``cuda`` is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ValueError("device cuda was asked for, but torch sees no CUDA device")
    version = torch.__version__.split("+")[0]
    if has_gpu and device != "cpu":
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        say(f"proxies on {torch.cuda.get_device_name()} in {'bf16' if bf16 else 'fp32 (no bf16 units)'}")
        return NumericPlan(
            "cuda", "bfloat16" if bf16 else "float32", "sdpa", version, compile, stack_tokens=_GPU_TOKENS
        )
    if compile and not (shutil.which("g++") and Path(sysconfig.get_path("include"), "Python.h").is_file()):
        say("proxies are not compiled: g++ or the headers of Python are missing")
        compile = False
    units = bf16_units()
    if units:
        say(f"proxies on the CPU in bf16: it has {units}")
        return NumericPlan("cpu", "bfloat16", "manual", version, compile)
    say("proxies on the CPU in fp32: without AMX or AVX-512 for bf16 that is faster")
    return NumericPlan("cpu", "float32", "sdpa", version, compile, f"numpy {np.__version__}")


def bf16_units() -> str:
    """What multiplies bf16 on this CPU, in words; empty where nothing does, or oneDNN is told not to use it."""
    cap = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()

    def is_left(*families: str) -> bool:
        return any(name in cap for name in ("ALL", "DEFAULT", *families))

    if torch.cpu._is_amx_tile_supported() and is_left("AMX"):
        return "AMX tiles"
    if torch.cpu._is_avx512_bf16_supported() and is_left("BF16", "FP16", "AMX", "AVX10"):
        return "AVX-512 with bf16"
    return ""
