"""The laws: how well each predicts unseen mixes, what one more point of a domain does, and the noise."""

from __future__ import annotations

from typing import Any

from pipeline.report.measures import tasks_of
from pipeline.report.objective import marked, side, sign, unit, value
from pipeline.report.table import Cell, Column, Table, cut, table
from pipeline.report.text import number, percent, signed, words

WEAK = 0.25
"""A law with a smaller R² out of fold hardly predicts its task."""


def laws_of(fit: dict[str, Any]) -> list[str]:
    """Return the names of all laws that were tried, the short ones first."""
    names = {score["law"] for task in fit["tasks"].values() for score in task["scores"]}
    return sorted(names, key=lambda law: (len(law), law))


def chosen_score(task: dict[str, Any]) -> dict[str, Any]:
    """Return the out-of-fold scores of the law that a task uses."""
    return next(score for score in task["scores"] if score["law"] == task["law"])


def laws_table(data: dict[str, Any]) -> Table:
    """Return task × the law in use and its errors out of fold: RMSE, R² and rank correlation."""
    rows = []
    for name in tasks_of(data):
        task = data["fit"]["tasks"][name]
        score = chosen_score(task)
        rows.append(
            [
                Cell(name, note=words(task["law"])),
                Cell(number(score["rmse"], 4), score["rmse"]),
                Cell(number(score["r2"], 2), score["r2"], tone="warn" if score["r2"] < WEAK else ""),
                Cell(number(score["spearman"], 2), score["spearman"]),
            ]
        )
    columns = [Column("Task", "below it the law in use", text=True), *map(Column, ("RMSE", "R²", "rank"))]
    return table(
        "How well the law in use predicts mixes that it was not fitted on",
        columns,
        rows,
        f"RMSE: typical error, in {unit(data['mix'])}. R²: share of the differences between mixes that is "
        "predicted; 1 is all, 0 or less is none. Rank (Spearman): does it put the mixes in the right order? "
        "1 is perfectly. A blend is a mean of the other laws.",
    )


def every_law_table(data: dict[str, Any]) -> Table:
    """Return task × law: out-of-fold RMSE, R² and rank correlation below it; the law in use is in bold."""
    fit = data["fit"]
    laws = laws_of(fit)
    rows = []
    for name in tasks_of(data):
        task = fit["tasks"][name]
        scores = {score["law"]: score for score in task["scores"]}
        cells = [Cell(name)]
        for law in laws:
            if law not in scores:
                cells.append(Cell("–", tone="dim"))
                continue
            score = scores[law]
            note = f"{number(score['r2'], 2)} · {number(score['spearman'], 2)}"
            cells.append(Cell(number(score["rmse"], 4), score["rmse"], note=note, strong=law == task["law"]))
        rows.append(cells)
    return table(
        "Every law on mixes that it was not fitted on: RMSE, and below it R² · rank",
        [Column("Task", text=True), *(Column(words(law)) for law in laws)],
        rows,
        "In bold the law in use: the one of least error when good mixes count more than bad ones.",
    )


def noise_table(data: dict[str, Any]) -> Table:
    """Return per task: SD between mixes, SD between seeds of one mix, their ratio, and the verdict."""
    rows = []
    for name in tasks_of(data):
        task = data["fit"]["tasks"][name]
        mixture, seed = task["mixture_sd"], task["seed_sd"]
        cells = [Cell(name), Cell(number(mixture), mixture)]
        cells.append(Cell("unknown", tone="dim") if seed is None else Cell(number(seed), seed))
        ratio = mixture / seed if seed else None
        cells.append(Cell("–", tone="dim") if ratio is None else Cell(number(ratio, 1), ratio))
        cells.append(Cell(percent(task["weight"]), task["weight"]))
        cells.append(verdict_cell(task))
        rows.append(cells)
    columns = [
        Column("Task", text=True),
        Column("SD of mixes", f"how much the mix moves the task, {unit(data['mix'])}"),
        Column("SD of seeds", "how much mere chance moves it: the same mix, another seed"),
        Column("Ratio", "under 2 the task says more about seeds than about mixes"),
        Column("Weight", "share in the objective"),
        Column("Used", text=True),
    ]
    return table("Noise: can the task tell one mix from another?", columns, rows)


def verdict_cell(task: dict[str, Any]) -> Cell:
    if task["noisy"] and task["weight"] == 0:
        return Cell("set aside: noise", tone="warn")
    if task["noisy"]:
        return Cell("noise, but forced", tone="warn")
    return Cell("yes") if task["weight"] else Cell("weight 0", tone="dim")


def contrasts(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a task's linear contrasts in percent of its natural bits per byte, by domain."""
    reference = data["mix"]["objective"]["reference"][name]
    return [
        {"domain": each["domain"], **{key: 100 * each[key] / reference for key in ("effect", "low", "high")}}
        for each in data["fit"]["tasks"][name]["contrasts"]
    ]


def contrasts_table(data: dict[str, Any]) -> Table:
    """Return task × domain: the effect of one more point of the domain, with its 95 % interval."""
    names = tasks_of(data)
    effects = {name: {each["domain"]: each for each in contrasts(data, name)} for name in names}
    domains = sorted({domain for row in effects.values() for domain in row})  # a frozen group has one effect
    largest = max((abs(each["effect"]) for row in effects.values() for each in row.values()), default=0) or 1.0
    rows = []
    whole: list[Cell | None] = [Cell("objective", strong=True)]
    for domain in domains:
        weights = data["mix"]["objective"]["weights"]
        total = sum(weights[name] * sign(data["mix"], name) * effects[name][domain]["effect"] for name in names)
        whole.append(Cell(signed(total), total, note="no interval", strong=True))
    rows.append(whole)
    for name in names:
        cells: list[Cell | None] = [Cell(marked(data["mix"], name))]
        for domain in domains:
            each = effects[name][domain]
            clear = each["low"] > 0 or each["high"] < 0
            cells.append(
                Cell(
                    signed(each["effect"]),
                    each["effect"],
                    note=f"{signed(each['low'])} to {signed(each['high'])}",
                    tone="" if clear else "dim",
                    shade=sign(data["mix"], name) * each["effect"] / largest if clear else 0.0,
                )
            )
        rows.append(cells)
    columns = [Column("Task", text=True), *(Column(domain) for domain in domains)]
    caption = f"One more point of a domain: change of the task in % ({side(data['mix'])}), 95 % interval below"
    return table(caption, columns, rows)


def out_of_fold(data: dict[str, Any], name: str | None) -> dict[str, tuple[float, float]]:
    """Return run → (predicted out of fold, measured) of a task, or of the objective where `name` is None."""
    tasks = data["fit"]["tasks"]
    if name is not None:
        predicted = chosen_score(tasks[name])["predicted"]
        return {run: (predicted[run], measured) for run, measured in tasks[name]["measured"].items()}
    predictions = {task: chosen_score(each)["predicted"] for task, each in tasks.items()}

    def objective(rows: dict[str, dict[str, float]], run: str) -> float:
        return value(data["mix"], {task: row[run] for task, row in rows.items()})

    measured = {task: each["measured"] for task, each in tasks.items()}
    runs = next(iter(measured.values()))
    return {run: (objective(predictions, run), objective(measured, run)) for run in runs}


def predictions_table(data: dict[str, Any]) -> Table:
    """Return run × task: out-of-fold prediction and measure, the objective first."""
    names: list[str | None] = [None, *tasks_of(data)]
    found = {name: out_of_fold(data, name) for name in names}
    rows = []
    for run in found[None]:
        cells = [Cell(run)]
        for name in names:
            predicted, measured = found[name][run]
            cells.append(Cell(number(measured, 3), measured, note=number(predicted, 3)))
        rows.append(cells)
    columns = [Column("Run", text=True), *(Column(name or "objective") for name in names)]
    shown, notes = cut(rows)
    return table("Measured, and below it what was predicted without that mix", columns, shown, *notes)
