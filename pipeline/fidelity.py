"""What is known of how well proxies of a size rank mixes as a model of 1B parameters does.

Published (olmix: Chen et al. 2026, arXiv:2602.12237): rank correlation with 1B models 0.73 for proxies of 1M
parameters, above 0.89 from 15M. These counts leave out the embedding and hold a head over 100,352 tokens. OLMo-core's
`olmo2_1M` has width 12; its `olmo2_14M`, taken to be the 15M of the paper, has width 128, 4 layers and a feed-forward
width of 512. So nearly all of both is head, and small vocabularies need another measure: the parameters of the layers
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from proxy_models.presets import Preset

SOURCE = "olmix, Chen et al. 2026, arXiv:2602.12237"
_HEAD = 100_352
_LAYERS = 4 * (4 * 128**2 + 3 * 128 * 512)
"""Parameters of the layers of the 15M model."""
_PARAMETERS = _LAYERS + 128 * _HEAD


class Known(Enum):
    """What the published figures say of a size; the value is for a narrow table."""

    SMALL = "small: 0.73 at 1M, width 12"
    UNKNOWN = "not published"
    ENOUGH = "above 0.89 from 15M"


@dataclass(frozen=True)
class Fidelity:
    """layers: parameters of the layers; parameters: those and the head, which is all but the embedding."""

    known: Known
    width: int
    layers: int
    parameters: int


def fidelity(preset: Preset, vocab_size: int) -> Fidelity:
    """Compare a preset with the published sizes.

    ENOUGH needs the count of the 15M model, head included, as published; SMALL has layers smaller than that model's
    too, so that no way of counting saves it. Between the two nothing is published.
    """
    layers, parameters = preset.layer_parameters, preset.parameters(vocab_size)
    known = Known.ENOUGH if parameters >= _PARAMETERS else Known.SMALL if layers < _LAYERS else Known.UNKNOWN
    return Fidelity(known, preset.width, layers, parameters)
