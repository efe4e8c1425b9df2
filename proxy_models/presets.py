"""Named sizes and training settings of proxies.

Where the rates come from is said at each; ``quickstart`` was chosen here by signal to noise per CPU-second.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy_models.model import ModelConfig
from proxy_models.optimiser import OptimiserConfig
from proxy_models.train import TrainConfig


@dataclass(frozen=True)
class Preset:
    """Everything of a model but the vocabulary, and the training settings that go with it."""

    context: int
    width: int
    layers: int
    heads: int
    ff: int
    tokens: int
    batch_tokens: int
    optimiser: OptimiserConfig


PRESETS = {
    "tiny": Preset(64, 32, 2, 2, 64, 40_960, 1024, OptimiserConfig("adamw", 1e-2, 1e-2)),
    "quickstart": Preset(256, 64, 3, 2, 192, 400_000, 2048, OptimiserConfig("adamw", 1e-2, 1e-2)),
}


def preset(name: str, vocab_size: int, seed: int = 0) -> tuple[ModelConfig, TrainConfig]:
    """Model and training settings of a preset. Raises ValueError naming the known ones."""
    if name not in PRESETS:
        raise ValueError(f"no preset {name}; there are {', '.join(PRESETS)}")
    p = PRESETS[name]
    model = ModelConfig(vocab_size, p.context, p.width, p.layers, p.heads, p.ff)
    return model, TrainConfig(p.tokens, p.batch_tokens, p.optimiser, seed)
