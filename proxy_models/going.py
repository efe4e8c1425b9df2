"""A training under way: what it carries from step to step, and what it keeps of weights that it passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from proxy_models.model import Decoder
from proxy_models.optimiser import Optimiser

if TYPE_CHECKING:
    from proxy_models.settings import TrainConfig

Weights = dict[str, Tensor]


@dataclass
class Kept:
    """Weights on the way: snapshots at steps, and the mean over the last steps.

    at: steps done -> share of the run, of the snapshots. mean_from: steps done before the first that is averaged;
    None where none is. count: of the weights in the mean so far.
    """

    at: dict[int, float]
    mean_from: int | None
    snapshots: dict[float, Weights] = field(default_factory=dict)
    mean: Weights = field(default_factory=dict)
    count: int = 0

    @classmethod
    def of(cls, config: TrainConfig, steps: int) -> Kept:
        """What the settings ask to keep. Raises ValueError for snapshots that fall before a step, or on one."""
        at = {round(share * steps): share for share in config.snapshots}
        if len(at) < len(config.snapshots) or not all(0 < step < steps for step in at):
            raise ValueError(f"snapshots {config.snapshots} do not fall on different steps of a run of {steps}")
        averaged = max(1, round(config.average * steps)) if config.average else None
        return cls(at, None if averaged is None else steps - averaged)

    @torch.no_grad()
    def see(self, done: int, decoder: nn.Module) -> None:
        """Look at the weights after ``done`` steps."""
        if done in self.at:
            self.snapshots[self.at[done]] = {name: w.detach().cpu().clone() for name, w in decoder.named_parameters()}
        if self.mean_from is not None and done > self.mean_from:
            self.count += 1
            for name, weight in decoder.named_parameters():
                if self.count == 1:
                    self.mean[name] = weight.detach().clone()
                else:
                    self.mean[name].lerp_(weight.detach(), 1 / self.count)

    def final(self, last: Weights) -> Weights:
        """The weights of the checkpoint, on the CPU: the mean where one was asked for, otherwise the last ones."""
        return {name: weight.cpu().contiguous() for name, weight in (self.mean or last).items()}


@dataclass
class Going:
    """step: steps done. losses: (tokens seen, nats per token) so far. total: sum of losses since the last of them."""

    decoder: Decoder
    optimiser: Optimiser
    kept: Kept
    step: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)
    total: float = 0.0

    def advance(self, loss: float) -> None:
        """Move the weights along the gradients in them, of which ``loss`` is the loss."""
        self.optimiser.step()
        self.step += 1
        self.total += loss
        self.kept.see(self.step, self.decoder)

    def weights(self) -> Weights:
        return {name: weight.detach() for name, weight in self.decoder.named_parameters()}

    def state(self) -> dict[str, Any]:
        """All that goes on needs; tensors are those in use."""
        return {
            "step": self.step,
            "losses": self.losses,
            "total": self.total,
            "weights": self.weights(),
            "optimiser": self.optimiser.state(),
            "snapshots": self.kept.snapshots,
            "mean": self.kept.mean,
            "count": self.kept.count,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned; the optimiser's tensors are taken over, the weights copied."""
        self.step, self.losses, self.total = state["step"], [tuple(at) for at in state["losses"]], state["total"]
        self.decoder.load_state_dict(state["weights"])
        self.optimiser.restore(state["optimiser"])
        device = self.decoder.embed.device
        self.kept.snapshots, self.kept.count = state["snapshots"], state["count"]
        self.kept.mean = {name: weight.to(device) for name, weight in state["mean"].items()}
