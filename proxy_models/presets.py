"""Named sizes and training settings of proxies.

``quickstart`` was chosen by signal to noise per CPU-second: 8 mixes of six of the sample sources, two seeds
each, vocabulary 2,048, mixture SD over seed SD (geometric means over 6 held-out sources and 7 benchmarks).

| width x layers, optimiser | CPU-s | held-out | benchmarks | BPB of the natural mix |
|---|---|---|---|---|
| 96 x 1, AdamW | 6.4 | 13.5 | 4.5 | 2.510 |
| 96 x 2, AdamW | 10.3 | 12.3 | 4.0 | 2.486 |

Both rank the mixes alike (Spearman 0.98 to 1 on every held-out source). Muon for the matrices of the second
reached 2.490 and the same ranks, so AdamW is the default; what matters is a rate of the embedding well above
that of the matrices (64 x 3: 2.70 with 1e-2 for both, 2.52 with 5e-3 and 5e-2). Vocabulary 4,096 costs half
as much again.

The larger ones follow Porian et al. 2024 (arXiv:2406.19146) as OLMo-core's run configurator does: peak rate
0.0047 (N / 108e6)^(-1/3) and batch 327,680 (N / 108e6)^(2/3) tokens rounded down to a power of two, N the
parameters that multiply (all but the embedding, at a vocabulary of 4,096); about 20 tokens a parameter (Hoffmann
et al. 2022, arXiv:2203.15556).
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy_models.model import ModelConfig
from proxy_models.optimiser import OptimiserConfig
from proxy_models.train import TrainConfig

MICRO_TOKENS = 4096
"""Tokens that go forwards and backwards at once on a CPU, where a batch is larger.

On a Zen 2 core 16k tokens of `1m` take 2.62 s so and 2.84 s in one go, a step of `4m` 18.9 and 22.2, which then needs
3.7 GB.
"""


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

    @property
    def micro_tokens(self) -> int | None:
        """What of a batch goes at once on a CPU; None where that is all of it."""
        return MICRO_TOKENS if self.batch_tokens > MICRO_TOKENS else None

    @property
    def layer_parameters(self) -> int:
        """Parameters of the layers: neither embedding nor head."""
        return self.layers * (4 * self.width**2 + 3 * self.width * self.ff)

    def parameters(self, vocab_size: int) -> int:
        """Parameters that multiply: all but the embedding."""
        return self.layer_parameters + vocab_size * self.width


PRESETS = {
    "tiny": Preset(128, 32, 2, 2, 64, 40_960, 1024, OptimiserConfig(lr=7e-3, embedding_lr=5e-2)),
    "quickstart": Preset(256, 96, 1, 1, 256, 400_000, 2048, OptimiserConfig(lr=7e-3, embedding_lr=5e-2)),
    "0.5m": Preset(256, 64, 4, 2, 192, 10_000_000, 8192, OptimiserConfig(lr=2.9e-2, embedding_lr=2.9e-2)),
    "1m": Preset(256, 128, 3, 4, 320, 20_000_000, 8192, OptimiserConfig(lr=2.2e-2, embedding_lr=2.2e-2)),
    "4m": Preset(512, 256, 4, 4, 704, 80_000_000, 32_768, OptimiserConfig(lr=1.4e-2, embedding_lr=1.4e-2)),
    "14m": Preset(1024, 384, 7, 6, 1024, 280_000_000, 65_536, OptimiserConfig(lr=9.3e-3, embedding_lr=9.3e-3)),
    "30m": Preset(1024, 512, 9, 8, 1344, 600_000_000, 131_072, OptimiserConfig(lr=7.2e-3, embedding_lr=7.2e-3)),
    "60m": Preset(1024, 640, 12, 10, 1664, 1_200_000_000, 131_072, OptimiserConfig(lr=5.7e-3, embedding_lr=5.7e-3)),
}


def preset(name: str, vocab_size: int, seed: int = 0) -> tuple[ModelConfig, TrainConfig]:
    """Model and training settings of a preset. Raises ValueError naming the known ones."""
    if name not in PRESETS:
        raise ValueError(f"no preset {name}; there are {', '.join(PRESETS)}")
    p = PRESETS[name]
    model = ModelConfig(vocab_size, p.context, p.width, p.layers, p.heads, p.ff)
    return model, TrainConfig(p.tokens, p.batch_tokens, p.optimiser, seed)
