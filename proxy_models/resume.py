"""The state of an unfinished training on disk, so that a killed one goes on at its step and ends in the same bytes.

It is written now and then, by the clock: a proxy of seconds never pays for it, one of hours loses a minute. The file
begins with a hash of what follows: one that is torn, or of another run, is taken for none.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Resume:
    """file: where the state is kept; whoever gives it removes it. seconds: least time between two states."""

    file: Path
    seconds: float = 60.0


def save_state(file: Path, run: str, state: dict[str, Any]) -> None:
    """Write the state of the run named ``run``, whole or not at all. state: tensors and plain values, nested."""
    packed = io.BytesIO()
    torch.save({"run": run, "state": state}, packed)
    file.parent.mkdir(parents=True, exist_ok=True)
    staging = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    with open(staging, "wb") as out:
        out.write(hashlib.sha256(packed.getbuffer()).digest())
        out.write(packed.getbuffer())
        out.flush()
        os.fsync(out.fileno())  # or a machine that dies could keep the new name without the content
    os.replace(staging, file)


def load_state(file: Path, run: str) -> dict[str, Any] | None:
    """Return what ``save_state`` wrote for this run, on the CPU; None where there is no whole file of it."""
    try:
        content = memoryview(file.read_bytes())
    except FileNotFoundError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    found = torch.load(io.BytesIO(content[_DIGEST:]), map_location="cpu", weights_only=True)
    return found["state"] if found["run"] == run else None
