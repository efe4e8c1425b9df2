"""Draw the next token of each row from its own uniform number, so that a row does not depend on its neighbours'."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a mix is checked without it
    import torch

NUCLEUS = 512
"""Most likely tokens that are sorted first; the whole vocabulary only where they hold less than top_p."""


def draw_tokens(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """Return one id a row.

    logits: rows × vocabulary, float32. temperature, top_p, uniform: one a row; uniform in [0, 1). A temperature of 0
    takes the likeliest token. Otherwise the token is the inverse of the cumulative distribution at `uniform`, over the
    fewest most likely tokens that hold `top_p` (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751).
    """
    import torch

    likeliest = logits.argmax(-1)
    if not bool((temperature > 0).any()):
        return likeliest
    probability = torch.softmax(logits / temperature.clamp_min(1e-6)[:, None], -1)
    count = min(NUCLEUS, logits.shape[-1])
    values, ids = probability.topk(count, -1)
    if bool((values.sum(-1) < top_p).any()):
        values, ids = probability.sort(-1, descending=True)
    cumulative = values.cumsum(-1)
    kept = cumulative - values < top_p[:, None]
    mass = (values * kept).sum(-1)
    index = torch.searchsorted(cumulative, (uniform * mass)[:, None], right=True)[:, 0]
    index = torch.minimum(index, kept.sum(-1) - 1)
    drawn = ids.gather(1, index[:, None])[:, 0]
    return torch.where(temperature > 0, drawn, likeliest)
