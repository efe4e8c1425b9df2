"""From a budget in hours to a preset and a number of runs. Pure: speeds are measured elsewhere (pipeline/speeds.py).

A run of N parameters (head included, embedding not) on D tokens costs 6 N D FLOPs (Kaplan et al. 2020) and its scoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.fidelity import Known, fidelity
from proxy_models.presets import Preset

RUNS_A_DOMAIN, FEWEST_RUNS, MOST_A_DOMAIN = 4, 24, 32
"""Runs that a swarm needs, by domain and at least: about 64 of RegMix's 512 rank its unseen mixes at 0.98 (17 domains).

RegMix's 512 are 30 a domain; more were never shown to pay.
"""


@dataclass(frozen=True)
class Speed:
    """FLOP/s of one GPU or of one core: `rates` by preset where some were measured, `default` where none was.

    scoring: seconds that scoring one proxy takes, by preset. source: where the numbers come from, for people.
    """

    rates: Mapping[str, float]
    scoring: Mapping[str, float]
    default: float
    source: str


GPU = Speed({}, {}, 0.04 * 312e12, "assumed: 4 % of an A100's 312 TFLOP/s in bf16; scoring is not counted")
"""Published: olmix's 14M proxies 3.7 % of the peak, RegMix's 1M ones 24 % of an A100's."""
CPU = Speed({}, {}, 0.45 * 160e9, "assumed: 45 % of a core's 160 GFLOP/s in fp32 (AVX-512); scoring is not counted")
"""What the quickstart reaches on a core without AMX, about."""


@dataclass(frozen=True)
class Ask:
    """What the mix YAML asks of a swarm. sizes: preset -> tokens to consider; fixed: (preset, tokens, runs) beside it.

    domains: how many the mix has; proof: runs of the proof, at the swarm's size.
    """

    sizes: Mapping[str, int]
    vocab_size: int
    domains: int
    proof: int
    fixed: tuple[str, int, int] | None = None

    @property
    def needed(self) -> int:
        return max(FEWEST_RUNS, RUNS_A_DOMAIN * self.domains)


@dataclass(frozen=True)
class Option:
    """A preset within the budget. hours: of one run; runs: swarm runs that fit beside the proof, 0 or more."""

    preset: str
    tokens: int
    hours: float
    runs: int
    known: Known


@dataclass(frozen=True)
class Suggestion:
    """options: by falling cost of a run; chosen: None where no size has room for a swarm; runs: of the chosen."""

    options: tuple[Option, ...]
    chosen: Option | None
    runs: int
    why: str


def suggest(hours: float, ask: Ask, speed: Speed, presets: Mapping[str, Preset]) -> Suggestion:
    """Take the largest proxies of which the needed runs fit with the proof. ValueError for a budget that is not > 0."""
    if not hours > 0:
        raise ValueError(f"expected hours above 0, got {hours:g}")
    fixed = 0.0
    if ask.fixed:
        name, tokens, count = ask.fixed
        fixed = count * hours_of(name, tokens, ask.vocab_size, speed, presets)
    options = []
    for name, tokens in ask.sizes.items():
        each = hours_of(name, tokens, ask.vocab_size, speed, presets)
        runs = max(0, int((hours - fixed) / each + 1e-9) - ask.proof)
        options.append(Option(name, tokens, each, runs, fidelity(presets[name], ask.vocab_size).known))
    options.sort(key=lambda option: -option.hours)
    chosen = next((option for option in options if option.runs >= ask.needed), None)
    if chosen is None:
        most = max((option.runs for option in options), default=0)
        why = f"no size has room for {ask.needed} runs beside the proof's {ask.proof}, at most for {most}"
        return Suggestion(tuple(options), None, 0, why)
    runs = min(chosen.runs, MOST_A_DOMAIN * ask.domains)
    spent = fixed + (runs + ask.proof) * chosen.hours
    why = (
        f"the largest proxies of which {ask.needed} runs fit with the proof ({RUNS_A_DOMAIN} a domain, at least "
        f"{FEWEST_RUNS})"
    )
    if runs < chosen.runs:
        why += f"; more than {MOST_A_DOMAIN} a domain were never shown to pay, and {hours - spent:.3g} hours are left"
    return Suggestion(tuple(options), chosen, runs, why)


def hours_of(name: str, tokens: int, vocab_size: int, speed: Speed, presets: Mapping[str, Preset]) -> float:
    """Hours that one GPU or core needs to train and score one proxy.

    A preset that was not measured takes the speed of the measured one nearest to it in parameters, and its scoring
    grows with them.
    """
    size = presets[name].parameters(vocab_size)
    flops = 6 * size * tokens
    if not speed.rates:
        return flops / speed.default / 3600
    nearest = min(speed.rates, key=lambda each: _apart(size, presets[each].parameters(vocab_size)))
    scoring = speed.scoring.get(nearest, 0.0) * size / presets[nearest].parameters(vocab_size)
    return (flops / speed.rates[nearest] + scoring) / 3600


def _apart(size: int, other: int) -> float:
    return max(size, other) / min(size, other)


def render(hours: float, unit: str, found: Suggestion, ask: Ask, speed: Speed) -> str:
    """Return the table and the suggestion for a terminal. unit: `GPU` or `core`."""
    rows = [("preset", "tokens", f"{unit}-hours a run", "runs that fit", "rank correlation with 1B (published)")]
    rows += [(o.preset, f"{o.tokens:,}", f"{o.hours:.3g}", f"{o.runs:,}", o.known.value) for o in found.options]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 4)), row[4]]) for row in rows
    ]
    larger = f", and {ask.fixed[2]} larger ones of preset {ask.fixed[0]}" if ask.fixed else ""
    lines += ["", f"{hours:g} {unit}-hours; {ask.proof} runs of the proof are beside those that fit{larger}."]
    lines.append(f"Speed {speed.source}.")
    if found.chosen:
        lines.append(f"Take preset {found.chosen.preset} and {found.runs:,} runs: {found.why}.")
    else:
        lines.append(f"Take none: {found.why}.")
    return "\n".join(lines)
