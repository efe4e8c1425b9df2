"""What the proxies' size leaves open: the published figures, and what larger proxies said where there are some."""

from __future__ import annotations

from typing import Any

import yaml

from pipeline.fidelity import SOURCE, Known, fidelity
from pipeline.report.text import number, size
from proxy_models.presets import PRESETS

PUBLISHED = (
    f"correlations with 1B models are 0.73 for proxies of 1M parameters (width 12), above 0.89 from 15M ({SOURCE})"
)


def size_caveat(data: dict[str, Any]) -> str:
    """Return one paragraph: the proxies' size, what is known of it, and what was or was not tested beyond it."""
    config = yaml.safe_load(data["config"])
    proxy, target = config["proxy"], size(config["target"]["tokens"])
    known = fidelity(PRESETS[proxy["preset"]], config["tokenize"]["vocab_size"])
    parts = [
        f"All was measured on proxies of {size(proxy['tokens'])} tokens and {size(known.parameters)} parameters "
        f"without the embedding (width {known.width})."
    ]
    if known.known is Known.SMALL:
        parts.append(f"That is known to be small: published rank {PUBLISHED}.")
    elif known.known is Known.UNKNOWN:
        parts.append(
            f"How well this size ranks mixes is not known: published rank {PUBLISHED}, counted with heads over 100k "
            "tokens; these are smaller by that count, but not in their layers."
        )
    transfer = data["mix"]["transfer"]
    if transfer is None:
        parts.append(
            f"That a model trained on {target} ranks the mixes alike is an assumption that this run does not test."
        )
    else:
        parts += [transfer_sentence(transfer), f"A model trained on {target} was not tested."]
    return " ".join(parts)


def transfer_sentence(transfer: dict[str, Any]) -> str:
    """Return how far the larger proxies agree, and what the proposal beats there."""
    larger = f"preset {transfer['preset']}, {size(transfer['tokens'])} tokens, {transfer['seeds']} seeds"
    order = f"{transfer['alike']} of {transfer['pairs']} pairs of mixes in the same order"
    if transfer["told"]:
        order += f", {transfer['kept']} of the {transfer['told']} that the small ones tell apart"
    if transfer["kendall"] is not None:
        order = f"Kendall {number(transfer['kendall'], 2)}, Spearman {number(transfer['spearman'], 2)}; {order}"
    verdict = transfer["headline"][0].lower() + transfer["headline"][1:]
    return f"Larger proxies ({larger}) have {order}. Among them {verdict}"
