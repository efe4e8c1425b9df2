"""A suggested size fits its budget, proof and larger proxies included, and speeds come from what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.budget import CPU, GPU, Ask, Speed, hours_of, render, suggest
from pipeline.cli import main
from pipeline.fidelity import Known
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.speeds import speed_of
from pipeline.store import to_json
from proxy_models.presets import PRESETS

SIZES = {name: preset.tokens for name, preset in PRESETS.items() if name != "tiny"}
ASK = Ask(SIZES, 4096, domains=10, proof=20)


def test_an_hour_is_six_flops_a_parameter_and_token() -> None:
    """By hand: the 1m preset has 3 (4 128^2 + 3 128 320) + 4096 128 parameters that multiply."""
    parameters = 3 * (4 * 128**2 + 3 * 128 * 320) + 4096 * 128
    flops = 6 * parameters * 20_000_000
    assert hours_of("1m", 20_000_000, 4096, GPU, PRESETS) == pytest.approx(flops / (0.04 * 312e12) / 3600)


@given(hours=st.floats(0.01, 1e5), proof=st.integers(2, 60), domains=st.integers(2, 40), fixed=st.booleans())
def test_what_is_suggested_fits(hours: float, proof: int, domains: int, fixed: bool) -> None:
    ask = Ask(SIZES, 4096, domains, proof, ("14m", SIZES["14m"], 12) if fixed else None)
    found = suggest(hours, ask, GPU, PRESETS)
    beside = 12 * hours_of("14m", SIZES["14m"], 4096, GPU, PRESETS) if fixed else 0.0
    for option in found.options:
        spent = beside + (option.runs + proof) * option.hours
        assert spent <= hours * (1 + 1e-6) or option.runs == 0
        assert option.runs == 0 or spent + option.hours > hours * (1 - 1e-6), "and no further run does"
    if found.chosen is None:
        assert all(option.runs < ask.needed for option in found.options)
    else:
        assert max(24, 4 * domains) <= found.runs <= found.chosen.runs
        larger = found.options[: found.options.index(found.chosen)]
        assert all(option.runs < ask.needed for option in larger), "no larger size had room"


def test_more_hours_never_buy_smaller_proxies() -> None:
    chosen = [suggest(10.0**power, ASK, GPU, PRESETS).chosen for power in range(-4, 4)]
    order = [*reversed(suggest(1, ASK, GPU, PRESETS).options)]
    places = [-1 if each is None else [o.preset for o in order].index(each.preset) for each in chosen]
    assert places == sorted(places)
    assert places[0] == -1
    assert chosen[-1] is not None
    assert (chosen[-1].preset, chosen[-1].known) == ("60m", Known.ENOUGH)


def test_it_says_why_and_what_it_assumes() -> None:
    text = render(50, "GPU", suggest(50, ASK, GPU, PRESETS), ASK, GPU)
    assert "Take preset 14m and 75 runs: the largest proxies of which 40 runs fit with the proof" in text
    assert "assumed: 4 % of an A100's 312 TFLOP/s" in text
    assert "small: 0.73 at 1M, width 12" in text
    none = render(1e-5, "core", suggest(1e-5, ASK, CPU, PRESETS), ASK, CPU)
    assert "Take none: no size has room for 40 runs beside the proof's 20" in none


def test_a_preset_that_was_not_measured_takes_the_nearest_speed() -> None:
    speed = Speed({"quickstart": 1e9, "4m": 4e9}, {"quickstart": 2.0, "4m": 8.0}, 1.0, "measured")
    sizes = {name: PRESETS[name].parameters(4096) for name in ("4m", "14m")}
    expected = 6 * sizes["14m"] * 1_000_000 / 4e9 + 8.0 * sizes["14m"] / sizes["4m"]
    assert hours_of("14m", 1_000_000, 4096, speed, PRESETS) == pytest.approx(expected / 3600)
    assert hours_of("quickstart", 1_000_000, 4096, speed, PRESETS) == pytest.approx(
        (6 * PRESETS["quickstart"].parameters(4096) * 1_000_000 / 1e9 + 2.0) / 3600
    )


def test_hours_must_be_positive() -> None:
    for hours in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="expected hours above 0"):
            suggest(hours, ASK, GPU, PRESETS)


@pytest.fixture
def measured(tiny_yaml) -> Run:
    """A store with one trained and scored proxy, and nothing else of it."""
    run = Run.open(load_mix(tiny_yaml()))

    def publish(ref: str, **manifest) -> None:
        run.store.write_text(f"manifests/{ref}.json", to_json({"files": [], "seconds": 9.0, **manifest}))

    inputs = {"numerics": "numerics/a", "vocabulary": "vocabulary/a"}
    publish("numerics/a", counts={"plan": {"device": "cpu"}})
    publish("vocabulary/a", counts={"vocab_size": 1000})
    recipe = {"args": {"preset": "tiny"}, "inputs": inputs}
    publish("train/a", recipe=recipe, counts={"tokens": 20_480}, cpu_seconds=0.2)
    for key, seconds in (("a", 0.05), ("b", 0.15)):
        scored = {"args": {}, "inputs": {"proxy": "train/a", "numerics": "numerics/a"}}
        publish(f"score/{key}", recipe=scored, counts={}, cpu_seconds=seconds)
    return run


def test_speeds_are_read_from_finished_units_of_that_device(measured: Run) -> None:
    found = speed_of(measured.store, measured.config, "cpu")
    assert found.rates == {"tiny": pytest.approx(6 * PRESETS["tiny"].parameters(1000) * 20_480 / 0.2)}
    assert found.scoring == {"tiny": pytest.approx(4 * 0.1)}, "four tasks at a mean of a tenth"
    assert "measured on 1 proxies" in found.source
    assert speed_of(measured.store, measured.config, "cuda") == GPU, "a core says nothing of a GPU"


def test_nothing_finished_is_assumed(tiny_yaml) -> None:
    run = Run.open(load_mix(tiny_yaml()))
    assert speed_of(run.store, run.config, "cpu") == CPU


def test_plan_with_hours_prints_the_suggestion_and_no_stage(
    measured: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def plan(*options: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mixwright", "plan", measured.mix.document.name, *options])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = plan("--cpu-hours", "1")
    assert code == 0
    assert "Take preset quickstart" in out
    assert "Speed measured on 1 proxies" in out
    assert "14m" not in out, "its own tokens are above target.tokens"
    assert "to do" not in out
    assert plan("--cpu-hours", "0")[::2] == (2, "--cpu-hours: expected hours above 0, got 0\n")
    assert plan("--cpu-hours", "1", "--gpu-hours", "1")[::2] == (2, "give --gpu-hours or --cpu-hours, not both\n")


def test_larger_proxies_are_paid_for_first() -> None:
    ask = replace(ASK, fixed=("14m", SIZES["14m"], 12))
    free, bound = (suggest(100, each, GPU, PRESETS).options for each in (ASK, ask))
    assert {a.preset: a.runs - b.runs for a, b in zip(free, bound, strict=True)}["14m"] == 12
