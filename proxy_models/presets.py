"""Named sizes and training settings of proxies.

``quickstart`` was chosen by signal to noise and loss per CPU-second on the sample data: under half a million
tokens width helps more than depth, one head costs half of two in attention, and the embedding wants a rate
ten times that of the matrices. The larger ones follow Porian et al. 2024 (arXiv:2406.19146, table 4, as in
OLMo-core's run configurator): peak rate 0.0047 (N / 108e6)^(-1/3) and batch 327,680 (N / 108e6)^(2/3)
tokens, N the parameters that multiply (all but the embedding, at a vocabulary of 4,096), rounded to a power
of two of context rows; about 20 tokens a parameter.
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
    "tiny": Preset(64, 32, 2, 2, 64, 40_960, 1024, OptimiserConfig(lr=7e-3, embedding_lr=5e-2)),
    "quickstart": Preset(256, 96, 2, 1, 256, 400_000, 2048, OptimiserConfig(lr=7e-3, embedding_lr=5e-2)),
    "0.5m": Preset(256, 64, 4, 2, 192, 10_000_000, 8192, OptimiserConfig(lr=2.9e-2, embedding_lr=2.9e-2)),
    "1m": Preset(256, 128, 3, 4, 320, 20_000_000, 16_384, OptimiserConfig(lr=2.2e-2, embedding_lr=2.2e-2)),
    "4m": Preset(512, 256, 4, 4, 704, 80_000_000, 32_768, OptimiserConfig(lr=1.4e-2, embedding_lr=1.4e-2)),
    "14m": Preset(
        1024, 384, 7, 6, 1024, 280_000_000, 65_536, OptimiserConfig(lr=9.3e-3, embedding_lr=9.3e-3)
    ),
}


def preset(name: str, vocab_size: int, seed: int = 0) -> tuple[ModelConfig, TrainConfig]:
    """Model and training settings of a preset. Raises ValueError naming the known ones."""
    if name not in PRESETS:
        raise ValueError(f"no preset {name}; there are {', '.join(PRESETS)}")
    p = PRESETS[name]
    model = ModelConfig(vocab_size, p.context, p.width, p.layers, p.heads, p.ff)
    return model, TrainConfig(p.tokens, p.batch_tokens, p.optimiser, seed)
