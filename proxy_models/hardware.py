"""The numeric plan of a run: where and in which type the proxies compute.

It is chosen once per run and belongs to the key of every artefact trained or scored under it, because two
swarms that round differently must never be mixed.

There is no torch.compile here: measured on two AMX cores it costs 37 CPU-seconds cold and 2 in every process
after, and saves 1 to 2 of the 8 that a quickstart proxy takes; ``kernels.py`` brings most of that without a
compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True)
class NumericPlan:
    """How numbers are computed.

    device: a torch device name. dtype: the type of activations and of the weights inside the forward pass
    (the master weights are always fp32). attention: ``manual`` is baddbmm, softmax, bmm; ``sdpa`` is torch's
    fused call.
    torch: the version whose kernels produced the numbers.
    """

    device: Literal["cpu", "cuda"]
    dtype: Literal["bfloat16", "float32"]
    attention: Literal["manual", "sdpa"]
    torch: str

    @property
    def torch_dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.dtype == "bfloat16" else torch.float32


def choose_plan(
    device: Literal["auto", "cpu", "cuda"] = "auto", say: Callable[[str], object] = print
) -> NumericPlan:
    """Return the fastest plan of this machine and say in one line why it was chosen.

    bf16 on a CPU pays only where AMX tiles multiply it; elsewhere it is emulated and slower than fp32. The
    backward pass of torch's fused attention is the hot spot in bf16 on a CPU, hence ``manual`` there and
    ``sdpa`` otherwise.
    Raises ValueError when ``cuda`` is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise ValueError("device cuda was asked for, but torch sees no CUDA device")
    version = torch.__version__.split("+")[0]
    if has_gpu and device != "cpu":
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        say(f"proxies on {torch.cuda.get_device_name()} in {'bf16' if bf16 else 'fp32 (no bf16 units)'}")
        return NumericPlan("cuda", "bfloat16" if bf16 else "float32", "sdpa", version)
    if torch.cpu._is_amx_tile_supported():
        say("proxies on the CPU in bf16: it has AMX tiles")
        return NumericPlan("cpu", "bfloat16", "manual", version)
    say("proxies on the CPU in fp32: without AMX tiles bf16 is slower")
    return NumericPlan("cpu", "float32", "sdpa", version)
