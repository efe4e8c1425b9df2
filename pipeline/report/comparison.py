"""Two or more finished runs side by side: what changed in the YAML, the mix, and what was predicted and measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.changes import ABSENT, changes
from pipeline.diff import Finished
from pipeline.errors import InputError
from pipeline.report.charts import COLOURS, SYMBOLS
from pipeline.report.decision import is_same, others_of
from pipeline.report.figures import Chart, axis, chart, dots, label, names_axis
from pipeline.report.html import FOLDER, SCRIPTS, environment, json_in_html, plotly, sha256
from pipeline.report.markdown import aligned, escaped, wrapped
from pipeline.report.objective import sign
from pipeline.report.table import Bar, Cell, Column, Table, table
from pipeline.report.text import number, p_value, percent, signed, visible, words
from pipeline.stages import STAGES

MOST_KEYS = 60
"""Keys of the YAML shown at most."""
YAML_DIFFERS = "What differs in the YAML"
SHARED = "shared"


class Compared:
    """The runs, each with a short name; tables of them.

    Raises InputError for fewer than two runs, or a folder that is no finished run.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        if len(folders) < 2:
            raise InputError(f"compare needs at least two run folders, got {len(folders)}")
        self.runs = [Finished(folder) for folder in folders]
        names = [run.name for run in self.runs]
        self.names = [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]
        self.mixes: list[dict[str, Any]] = [dict(run.mix) for run in self.runs]

    def configs(self) -> list[dict[str, Any]]:
        return [run.config() for run in self.runs]

    def differs(self) -> str:
        """Return a warning where the objectives cannot be compared number by number; empty where they can."""
        first = self.mixes[0]["objective"]
        pairs = zip(self.names, self.mixes, strict=True)
        odd = [name for name, mix in pairs if mix["objective"]["weights"] != first["weights"]]
        if not odd:
            return ""
        return (
            f"The objective of {', '.join(odd)} weighs other tasks than that of {self.names[0]}: compare gains inside "
            "a run, and tasks, not objectives."
        )

    def columns(self, first: str) -> list[Column]:
        return [Column(first, text=True), *map(Column, self.names)]

    def verdicts(self) -> Table:
        rows = []
        for name, mix in zip(self.names, self.mixes, strict=True):
            rows.append([Cell(name), Cell(mix["headline"])])
        return table("Verdicts", [Column("Run", text=True), Column("First line of its report", text=True)], rows)

    def yaml_table(self) -> Table:
        """Return key × run of all keys in which a run differs from the first."""
        first, *others = self.configs()
        found: dict[str, list[str]] = {}
        for i, other in enumerate(others):
            for change in changes(first, other):
                found.setdefault(change.key, [change.old] + [""] * len(others))[i + 1] = change.new
        rows = [
            [Cell(key), *(Cell(value or "the same", tone="dim" if value in ("", ABSENT) else "") for value in values)]
            for key, values in found.items()
        ]
        notes = [f"{len(rows) - MOST_KEYS} more keys differ."] if len(rows) > MOST_KEYS else []
        columns = [Column("Key", text=True), *(Column(name, text=True) for name in self.names)]
        return table(YAML_DIFFERS, columns, rows[:MOST_KEYS], *notes)

    def domains(self) -> list[str]:
        """Return all domains, by falling weight in any proposal."""
        every = dict.fromkeys(domain for mix in self.mixes for domain in mix["weights"])
        return sorted(every, key=lambda d: (-max(mix["weights"].get(d, 0.0) for mix in self.mixes), d))

    def weights(self) -> Table:
        top = max(weight for mix in self.mixes for weight in mix["weights"].values())
        rows = []
        for domain in self.domains():
            cells = [Cell(domain)]
            first = self.mixes[0]["weights"].get(domain)
            for i, mix in enumerate(self.mixes):
                weight = mix["weights"].get(domain)
                if weight is None:
                    cells.append(Cell("not there", tone="dim"))
                    continue
                note = (
                    f"{signed(100 * (weight - first), 1)} points"
                    if i and first is not None and abs(weight - first) >= 5e-4
                    else ""
                )
                cells.append(Cell(percent(weight), weight, note=note, bar=Bar(weight / top)))
            rows.append(cells)
        return table("Proposals: share of tokens per domain", self.columns("Domain"), rows)

    def measured(self) -> Table:
        rows = [self._row("objective of the proposal", lambda m: self._mean(m["measured"]["proposal"]))]
        rows.append(self._row("  predicted", lambda m: _plain(m["predicted"]["proposal"]["objective"])))
        others = dict.fromkeys(name for mix in self.mixes for name in others_of(mix))
        for name in others:
            rows.append(self._row(f"gain over {words(name)}", lambda m, name=name: _gain(m, name)))
            rows.append(self._row("  predicted", lambda m, name=name: _expected(m, name)))
        return table(
            "Measured on fresh seeds: the objective (natural is about 1, lower is better) and the proposal's gains",
            self.columns("What"),
            rows,
        )

    def _row(self, what: str, cell: Callable[[dict[str, Any]], Cell]) -> list[Cell]:
        return [Cell(what.strip(), tone="dim" if what.startswith(" ") else ""), *(cell(mix) for mix in self.mixes)]

    @staticmethod
    def _mean(each: dict[str, Any]) -> Cell:
        return Cell(f"{number(each['mean'])} ± {number(each['se'])}", each["mean"])

    def tasks(self) -> list[str]:
        return list(dict.fromkeys(task for mix in self.mixes for task in mix["measured"]["proposal"]["tasks"]))

    def task_table(self) -> Table:
        """Return task × run: the proposal's measure, and in percent against the run's own natural."""
        rows = []
        for task in self.tasks():
            cells = [Cell(task)]
            for mix in self.mixes:
                change = _change(mix, task)
                if change is None:
                    cells.append(Cell("not there", tone="dim"))
                    continue
                value = mix["measured"]["proposal"]["tasks"][task]
                better = -sign(mix, task) * change
                tone = "good" if better > 0 else "bad" if better < 0 else ""
                cells.append(Cell(number(value), value, note=f"{signed(change)} % against natural", tone=tone))
            rows.append(cells)
        return table("Measured tasks of the proposals", self.columns("Task"), rows)

    def units(self) -> Table:
        """Return stage × run: units, and how many of them are those of the first run."""
        every = [run.units() for run in self.runs]
        known = {stage for units in every for stage, each in units.items() if each}
        rows = []
        for stage in (each.name for each in STAGES if each.name in known):
            first = set(every[0].get(stage, {}).values())
            cells = [Cell(stage)]
            for i, units in enumerate(every):
                refs = units.get(stage, {}).values()
                shared = sum(ref in first for ref in refs)
                note = f"{shared} {SHARED}" if i else ""
                cells.append(Cell(str(len(refs)), len(refs), note=note) if units else Cell("unknown", tone="dim"))
            rows.append(cells)
        return table("Units of each stage, and how many of them are the first run's", self.columns("Stage"), rows)

    def weight_chart(self) -> Chart:
        names = self.domains()
        traces = []
        for i, (name, mix) in enumerate(zip(self.names, self.mixes, strict=True)):
            kept = [domain for domain in names if domain in mix["weights"]]
            x = [100 * mix["weights"][domain] for domain in kept]
            traces.append(self._dots(i, name, x, kept, "%{y}: %{x:.1f} %"))
        return chart(
            "weights",
            "Proposals",
            "The share of each domain in each run's proposal.",
            traces,
            120 + 24 * len(names),
            legend=True,
            xaxis=axis("weight, %", rangemode="tozero"),
            yaxis=names_axis(names),
        )

    def task_chart(self) -> Chart:
        names = self.tasks()
        traces = []
        for i, (name, mix) in enumerate(zip(self.names, self.mixes, strict=True)):
            found = {task: _change(mix, task) for task in names}
            kept = [task for task in names if found[task] is not None]
            x = [sign(mix, task) * (found[task] or 0.0) for task in kept]
            traces.append(self._dots(i, name, x, kept, "%{y}: %{x:.2f} %"))
        return chart(
            "tasks",
            "Each task against the run's own natural mix",
            "Points left of zero are tasks on which a proposal measured better than natural.",
            traces,
            130 + 24 * len(names),
            legend=True,
            xaxis=axis("% against natural (left is better)", zeroline=True),
            yaxis=names_axis(names),
        )

    @staticmethod
    def _dots(i: int, name: str, x: list[float], y: list[str], hover: str) -> dict[str, Any]:
        colour, symbol = ("--c1", *COLOURS)[i % 8], ("diamond", *SYMBOLS)[i % 7]
        marker = {"symbol": symbol, "line": {"width": 1.5}}
        template = f"{hover}<extra>%{{fullData.name}}</extra>"
        return dots(x, [label(each) for each in y], colour, size=9, name=name, marker=marker, hovertemplate=template)

    def tables(self) -> list[Table]:
        found = [self.verdicts(), self.yaml_table(), self.weights(), self.measured(), self.task_table(), self.units()]
        return [each for each in found if each.rows]


def _plain(value: float) -> Cell:
    return Cell(number(value), value, tone="dim")


def _gain(mix: dict[str, Any], name: str) -> Cell:
    each = mix["measured"].get(name)
    if each is None:
        return Cell("not there", tone="dim")
    if is_same(mix, name):
        return Cell("is this mix", tone="warn")
    tone = "good" if each["wins"] else ""
    text = f"{signed(each['gain'], 4)} ± {number(each['gain_se'])}"
    return Cell(text, each["gain"], note=f"p {p_value(each['p_value'])}", tone=tone)


def _expected(mix: dict[str, Any], name: str) -> Cell:
    each = mix["predicted"].get(name)
    if each is None or is_same(mix, name):
        return Cell("", tone="dim")
    return Cell(f"{signed(each['gain'], 4)} ± {number(each['se'])}", each["gain"], tone="dim")


def _change(mix: dict[str, Any], task: str) -> float | None:
    """Return the proposal's measure of a task against natural's, in percent; None where one of them has none."""
    ours, natural = (mix["measured"][name]["tasks"].get(task) for name in ("proposal", "natural"))
    return None if ours is None or not natural else 100 * (ours / natural - 1)


def comparison_html(compared: Compared) -> str:
    """Return the page; it needs nothing else."""
    script = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    library, packed = plotly()
    charts = [compared.weight_chart(), compared.task_chart()]
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            title=f"{len(compared.runs)} runs side by side",
            names=compared.names,
            warning=compared.differs(),
            tables={each.caption: each for each in compared.tables()},
            charts=charts,
            figures=json_in_html({c.key: {"figure": c.figure, "height": c.height} for c in charts}),
            style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            library=packed,
            hashes=[sha256(script), sha256(library)],
        )
    )


def _in_terminal(cell: Cell | None) -> str:
    """Return a cell's text, with how many units it shares: other notes have no room."""
    if cell is None:
        return ""
    return f"{cell.text} ({cell.note})" if cell.note.endswith(SHARED) else cell.text


def comparison_markdown(compared: Compared) -> str:
    """Return the same tables for a terminal."""
    parts = [f"# {len(compared.runs)} runs side by side"]
    if compared.differs():
        parts.append(wrapped(compared.differs()))
    for each in compared.tables():
        parts.append(f"## {escaped(each.caption)}")
        header = [visible(column.label) for column in each.columns]
        if each.caption == "Verdicts":
            parts.append(
                "\n".join(wrapped(f"{c[0].text}: {c[1].text}", "- ", "  ") for c in each.rows if c[0] and c[1])
            )
            continue
        if each.caption == YAML_DIFFERS:  # values are long, and differ anywhere: columns would cut them
            lines = [
                ", ".join(f"{name} {cell.text}" for name, cell in zip(header[1:], row[1:], strict=True) if cell)
                for row in each.rows
            ]
            keys = [row[0].text if row[0] else "" for row in each.rows]
            listed = [wrapped(f"{key}: {line}", "- ", "  ") for key, line in zip(keys, lines, strict=True)]
            parts.append("\n".join([*listed, *each.notes]))
            continue
        rows = [[_in_terminal(cell) for cell in row] for row in each.rows]
        parts.append(aligned(header, rows, name=40, most=len(rows)))
    return "\n\n".join(parts) + "\n"
