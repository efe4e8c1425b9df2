"""Named sizes and training settings of proxies.

``quickstart`` was chosen by signal to noise per CPU-second, at a vocabulary of 2,048: eight mixes of the samples
(natural, uniform, six corners), two seeds each, in fp32 on a busy Zen 2 core. Signal is the SD between mixes of the
mean over benchmarks and held-out sources, relative to natural; noise is the SD of one proxy, known within a quarter.

| width x layers, tokens | CPU-s to train and score | signal | noise | held-out BPB of natural |
|---|---|---|---|---|
| 96 x 1, 400k | 17.0 + 2.8 | 0.0068 | 0.0036 | 2.551 |
| 64 x 1, 300k | 8.7 + 1.9 | 0.0100 | 0.0021 | 2.642 |
| 64 x 1, 240k | 6.5 + 1.7 | 0.0110 | 0.0022 | 2.702 |
| 64 x 1, 200k | 5.8 + 1.9 | 0.0121 | 0.0026 | 2.754 |

A second layer ranked mixes alike (Spearman 0.98 to 1 on every held-out source) and cost 60 % more, and so did Muon once
the rate of AdamW's embedding was well above that of the matrices. Vocabulary 4,096 costs half as much again.

The larger ones follow Porian et al. 2024 (arXiv:2406.19146) as OLMo-core's run configurator does: peak rate
0.0047 (N / 108e6)^(-1/3) and batch 327,680 (N / 108e6)^(2/3) tokens rounded down to a power of two, N the
parameters that multiply (all but the embedding, at a vocabulary of 4,096); about 20 tokens a parameter (Hoffmann
et al. 2022, arXiv:2203.15556).
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy_models.settings import ModelConfig, OptimiserConfig, TrainConfig

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
    "quickstart": Preset(256, 64, 1, 1, 160, 200_000, 2048, OptimiserConfig(lr=7e-3, embedding_lr=5e-2)),
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
