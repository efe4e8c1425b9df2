"""What a task asks of Ray: cores, memory, GPUs, custom resources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ON_DEVICE = ("train", "score", "curve")
"""Stages that compute where the numeric plan says."""


@dataclass(frozen=True)
class Need:
    """Resources of one task. memory: bytes. gpu_if_any: a GPU too, where the cluster has one when the task starts."""

    cpus: float = 1
    gpus: float = 0
    memory: int = 0
    custom: tuple[tuple[str, float], ...] = ()
    gpu_if_any: bool = False

    @property
    def waits(self) -> bool:
        """Whether its machines may be long in coming, so that other stages' work goes on meanwhile."""
        return self.gpus > 0 or bool(self.custom)

    @property
    def by_name(self) -> dict[str, float]:
        """Ray's name of a resource → amount, without zeros."""
        named = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory, **dict(self.custom)}
        return {name: amount for name, amount in named.items() if amount}

    def options(self) -> dict[str, Any]:
        """Return it as options of a Ray task."""
        rest: dict[str, Any] = {"num_gpus": self.gpus, "memory": self.memory, "resources": dict(self.custom)}
        return {"num_cpus": self.cpus, **{name: value for name, value in rest.items() if value}}

    def at_once(self, nodes: Iterable[Mapping[str, float]]) -> int:
        """Return how many such tasks run at once on nodes with these resources."""
        return sum(
            min(math.floor(node.get(name, 0) / amount + 1e-9) for name, amount in self.by_name.items())
            for node in nodes
        )

    def __str__(self) -> str:
        return ", ".join(
            f"{amount / 1e9:g}G of memory" if name == "memory" else f"{amount:g} {name}"
            for name, amount in self.by_name.items()
        )


ONE_CORE = Need()
