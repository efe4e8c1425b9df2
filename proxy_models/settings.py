"""What a proxy is and how it is trained, as data. Loads no torch, so that a mix is checked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a decoder. context: the most tokens it reads at once. ff: width inside the feed-forward layer.

    Raises ValueError for sizes that do not fit together.
    """

    vocab_size: int
    context: int
    width: int
    layers: int
    heads: int
    ff: int

    def __post_init__(self) -> None:
        for name in ("vocab_size", "context", "width", "layers", "heads", "ff"):
            if getattr(self, name) < 1:
                raise ValueError(f"model {name} must be at least 1, got {getattr(self, name)}")
        if self.width % (2 * self.heads):
            raise ValueError(f"model width {self.width} must be a multiple of twice the heads ({self.heads})")

    @property
    def parameters(self) -> int:
        return 2 * self.vocab_size * self.width + self.layers * (4 * self.width**2 + 3 * self.width * self.ff)


@dataclass(frozen=True)
class OptimiserConfig:
    """name: of the matrices' optimiser. lr: peak rate of the matrices. embedding_lr: of embedding and head.

    schedule: after ``warmup`` (share of the steps, 0..1) the rate falls linearly or along a cosine to 0, or
    stays.
    clip: largest norm of the gradient of all weights together.
    """

    name: Literal["adamw", "muon"] = "adamw"
    lr: float = 1e-2
    embedding_lr: float = 1e-2
    weight_decay: float = 0.0
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.05
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in ("adamw", "muon"):
            raise ValueError(f"optimiser must be adamw or muon, got {self.name}")
        if self.schedule not in ("linear", "cosine", "constant"):
            raise ValueError(f"schedule must be linear, cosine or constant, got {self.schedule}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of the steps, at least 0 and under 1, got {self.warmup}")
        if min(self.lr, self.embedding_lr, self.clip) <= 0 or self.weight_decay < 0:
            raise ValueError("lr, embedding_lr and clip must be above 0 and weight_decay at least 0")


@dataclass(frozen=True)
class TrainConfig:
    """tokens: of the whole run, rounded down to whole batches. batch_tokens: of one step, a multiple of the
    context.

    seed: of the first weights (the order of the data has its own seed, in the feed).
    average: share of the steps, 0 to 1, at the end of which the checkpoint is the mean of the weights (latest weight
    averaging, arXiv:2209.14981, which averages the last checkpoints; here every step counts). 0: the last weights.
    snapshots: shares of the steps after which the weights are kept beside the checkpoint, between 0 and 1, rising.
    micro_tokens: the most tokens that go forwards and backwards at once; whole batches where it is None.
    """

    tokens: int
    batch_tokens: int
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    seed: int = 0
    average: float = 0.0
    snapshots: tuple[float, ...] = ()
    micro_tokens: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.average <= 1:
            raise ValueError(f"average is a share of the steps, 0 to 1, got {self.average}")
        if any(not 0 < at < 1 for at in self.snapshots) or list(self.snapshots) != sorted(set(self.snapshots)):
            raise ValueError(f"snapshots are rising shares of the steps above 0 and below 1, got {self.snapshots}")


def chunks_of(model: ModelConfig, config: TrainConfig) -> int:
    """Chunks a run reads: what to ask ``feed.chunk_plan`` for. Raises ValueError when sizes do not fit."""
    if config.batch_tokens < model.context or config.batch_tokens % model.context:
        raise ValueError(f"batch_tokens {config.batch_tokens} must be a multiple of the context {model.context}")
    steps = config.tokens // config.batch_tokens
    if steps < 1:
        raise ValueError(f"tokens {config.tokens} are fewer than one batch of {config.batch_tokens}")
    return steps * config.batch_tokens // model.context
