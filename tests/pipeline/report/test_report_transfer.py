"""Larger proxies: mix.json and both reports say how far they agree, and nothing of them where there are none."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from report_fixture import build, config

from pipeline.report.decision import decide
from pipeline.report.html import render_html
from pipeline.report.markdown import render_markdown
from pipeline.report.transfer import transfer_table

LAWS = ["linear", "log_linear"]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    asked = {"preset": "0.5m", "tokens": "2M", "seeds": 3}
    settings = config(variants=0, seeds=3, runs=16, laws=LAWS, transfer=asked)
    return build(tmp_path_factory.mktemp("larger") / "run", settings)


def test_mix_json_holds_both_sizes(larger: dict[str, Any]) -> None:
    mix = larger["mix"]
    transfer = mix["transfer"]
    assert (transfer["preset"], transfer["tokens"], transfer["seeds"]) == ("0.5m", 2_000_000, 3)
    assert set(transfer["measured"]) == set(mix["measured"])
    assert transfer["measured"]["natural"]["mean"] == pytest.approx(1), "relative to natural at the same size"
    assert transfer["measured"]["proposal"]["seeds"] != mix["measured"]["proposal"]["seeds"]
    assert transfer["pairs"] == 10
    assert transfer["kendall"] > 0.5, "the planted truth is the same at both sizes"
    assert transfer["kept"] <= transfer["told"] <= transfer["pairs"]


def test_the_reports_say_how_far_sizes_agree(larger: dict[str, Any]) -> None:
    transfer = larger["mix"]["transfer"]
    last = decide(larger).caveats[-1]
    assert f"Kendall {transfer['kendall']:.2f}, Spearman {transfer['spearman']:.2f}" in last
    assert f"{transfer['alike']} of 10 pairs of mixes" in last
    assert "preset 0.5m, 2.00M tokens, 3 seeds" in last
    assert "an assumption" not in last
    assert "was not tested" in last
    page, text = render_html(larger), render_markdown(larger)
    assert "<h3>Larger proxies</h3>" in page
    assert "Kendall" in " ".join(text.split())
    assert "Larger proxies: 15, to see" in " ".join(text.split())
    assert "9 in the swarm" not in text
    assert "16 in the swarm over 4 seed blocks, 15 for the proof" in " ".join(text.split())


def test_the_table_judges_by_the_larger_proxies(larger: dict[str, Any]) -> None:
    mix = copy.deepcopy(larger["mix"])
    mix["measured"]["uniform"]["wins"] = True
    mix["transfer"]["measured"]["uniform"] |= {"wins": False, "gain": -0.01, "gain_se": 0.001}
    found = transfer_table(mix)
    assert found is not None
    rows = {row[0].text: row for row in found.rows if row[0]}
    assert rows["uniform"][-1].text == "loses"


def test_without_larger_proxies_it_is_an_assumption_and_small_sizes_are_called_small(data: dict[str, Any]) -> None:
    assert data["mix"]["transfer"] is None
    last = decide(data).caveats[-1]
    assert "an assumption that this run does not test" in last
    assert "known to be small" in last
    assert "0.73 for proxies of 1M parameters (width 12), above 0.89 from 15M" in last
    assert "arXiv:2602.12237" in last
    assert "Larger proxies" not in render_html(data)
    data["config"] = data["config"].replace("preset: quickstart", "preset: 14m")
    assert "0.73" not in decide(data).caveats[-1]
    data["config"] = data["config"].replace("preset: 14m", "preset: 4m")
    assert "is not known" in decide(data).caveats[-1]
