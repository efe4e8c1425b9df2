"""Protects the costs of stages, the facts of a run, and samples: sums, prices, what is drawn and how much is read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.config import Prices
from pipeline.costs import Cost
from pipeline.report.costs import costs_table, stages_table
from pipeline.report.made_with import HERE, with_facts
from pipeline.report.samples import ROWS, SHARDS, kept_samples, rewritten_samples
from pipeline.spent import Spent, money

TRAIN = Spent("train", 64, 60, 7200.0, 0.0, 0, 0, False)
REWRITE = Spent("rewrite", 2, 0, 360.0, 1800.0, 2_000_000, 500_000, True)
PRICES = Prices(currency="EUR", cpu_hour=0.05, gpu_hour=2.0, million_prompt=0.5, million_completion=1.5)


def bill(each: Spent) -> float:
    return money(PRICES, cpu=each.cpu, gpu=each.gpu, asked=each.asked, written=each.written)


def test_money_is_hours_and_tokens_at_their_prices() -> None:
    assert bill(TRAIN) == pytest.approx(0.10)
    assert bill(REWRITE) == pytest.approx(0.1 * 0.05 + 0.5 * 2.0 + 2 * 0.5 + 0.5 * 1.5)


def test_stages_add_up_in_the_foot() -> None:
    table = stages_table([TRAIN, REWRITE], PRICES)
    labels = [column.label for column in table.columns]
    assert labels == ["Stage", "Units", "Shared", "CPU", "GPU", "Asked", "Written", "Money"]
    assert [row[0].text for row in table.rows if row[0]] == ["train", "rewrite ≈"]
    (foot,) = table.foot
    assert [cell.value for cell in foot[1:] if cell] == pytest.approx(
        [66, 60, 7560, 1800, 2e6, 5e5, bill(TRAIN) + bill(REWRITE)]
    )


def test_a_variant_costs_its_rewriting_and_a_source_its_curation() -> None:
    costs = [
        Cost("wikipedia", 3600.0, 0.0, 0.0, 0, 0, 0, 2e6),
        Cost("wikipedia.qa", 3600.0, 720.0, 1800.0, 2_000_000, 500_000, 0, 1e6),
    ]
    mix = {"weights": {"wikipedia": 0.6, "wikipedia.qa": 0.4}, "worth": {}}
    table = costs_table(costs, mix, PRICES)
    at = [column.label for column in table.columns].index("Money")
    found = [row[at].value for row in table.rows if row[at]]
    assert found == pytest.approx([0.05, 0.2 * 0.05 + 0.5 * 2.0 + 2 * 0.5 + 0.5 * 1.5])
    assert "Money" not in [column.label for column in costs_table(costs, mix).columns]


def test_without_prices_gpus_or_models_there_are_no_such_columns() -> None:
    assert [column.label for column in stages_table([TRAIN], None).columns] == ["Stage", "Units", "Shared", "CPU"]


def test_facts_are_escaped_in_their_place() -> None:
    page = with_facts(f"<p>{HERE}</p>", [("machine", "<b>fast</b>")])
    assert "&lt;b&gt;fast" in page
    assert HERE not in page


def corpus(folder: Path, shards: int) -> dict[str, Path]:
    roles = {}
    for shard in range(shards):
        ids = [f"{shard}-{i}" for i in range(50)]
        kept = ["train" if i % 5 else None for i in range(50)]
        for stage, frame in (
            ("sources", pl.DataFrame({"id": ids, "text": [f"text {each} " * 200 for each in ids]})),
            ("select", pl.DataFrame({"split": kept})),
        ):
            place = roles[f"{stage}|code/{shard:03d}"] = folder / f"{stage}-{shard}"
            place.mkdir()
            name = "documents" if stage == "sources" else "selection"
            frame.write_parquet(place / f"{name}.parquet", row_group_size=10)
    return roles


def test_kept_samples_are_kept_few_short_and_drawn_by_the_seed(tmp_path: Path) -> None:
    roles = corpus(tmp_path, 5)
    (rows,) = kept_samples(roles, 1).values()
    assert len(rows) == SHARDS * ROWS
    assert all(int(row["id"].split("-")[1]) % 5 for row in rows)
    assert all(len(row["text"]) <= 700 < row["bytes"] for row in rows)
    assert kept_samples(roles, 1) == {"code": rows}
    assert kept_samples(roles, 2) != {"code": rows}


def test_rewritten_samples_of_a_shard_without_rows(tmp_path: Path) -> None:
    for name in ("documents", "rejected"):
        schema = {"origin": pl.String, "reason": pl.String, "text": pl.String}
        pl.DataFrame(schema=schema).write_parquet(tmp_path / f"{name}.parquet")
    assert rewritten_samples(tmp_path, "wikipedia.qa/000", 1) == {"documents": [], "rejected": []}
