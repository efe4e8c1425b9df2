"""The report as one HTML file that needs nothing else: styles, data, charts and their library are in it."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.report import (
    charts,
    costs,
    curation,
    curves,
    made_with,
    measures,
    method,
    pareto,
    predictor,
    provenance,
    regression,
    residuals,
    runs,
    surroundings,
    transfer,
    whatif,
)
from pipeline.report.decision import decide
from pipeline.report.figures import Chart
from pipeline.report.text import visible

FOLDER = Path(__file__).parent
SCRIPTS = ("page.js", "tables.js", "whatif.js")


def render_html(data: dict[str, Any]) -> str:
    """Return the page for the data of `pipeline.report.collect`; the same data gives the same page.

    A content security policy allows no connection, and no script but the page's two, by their hashes: text of
    a document could not run even where an escape were forgotten.
    """
    figures: dict[str, Any] = {}

    def draw(chart: Chart) -> Chart:
        figures[chart.key] = {"figure": chart.figure, "height": chart.height}
        return chart

    curves_chart = curves.curves_chart(data)
    script = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    library, packed = plotly()
    laws = predictor.laws_of(data)
    what = whatif.whatif(data, laws)
    sensitivity, sensitivity_chart, pairs = surroundings.sections(laws, data["mix"])
    front = pareto.front_chart(data["mix"])
    page = {
        "title": data["title"],
        "decision": decide(data),
        "what": what,
        "what_json": json_in_html(what.payload, digits=17),
        "front": pareto.front_table(data["mix"]),
        "front_chart": front and draw(front),
        "seeds": measures.seeds_table(data["mix"]),
        "tasks": measures.tasks_table(data),
        "transfer": transfer.transfer_table(data["mix"]),
        "laws": regression.laws_table(data),
        "every_law": regression.every_law_table(data),
        "noise": regression.noise_table(data),
        "contrasts": regression.contrasts_table(data),
        "predictions": regression.predictions_table(data),
        "residuals": residuals.residuals_table(data),
        "residuals_chart": draw(residuals.residuals_chart(data)),
        "sensitivity": sensitivity,
        "sensitivity_chart": draw(sensitivity_chart),
        "pairs": pairs,
        "runs": runs.runs_table(data),
        "curves": curves.curves_table(data),
        "curves_chart": curves_chart and draw(curves_chart),
        "coverage": runs.coverage_table(data),
        "funnel": curation.funnel_table(data),
        "rewrites": curation.rewrites_table(data),
        "domains": curation.domains_table(data),
        "costs": Markup(costs.HERE),
        "made_with": Markup(made_with.HERE),
        "classifiers": curation.classifiers_table(data),
        "sources": provenance.sources_table(data),
        "licenses": provenance.licenses_table(data),
        "contamination": provenance.contamination_table(data),
        "dropped": curation.examples_of(data),
        "kept": curation.kept_of(data),
        "cards": data["cards"],
        "samples": curation.samples_of(data),
        "facts": method.facts(data),
        "evals": method.evals_table(data),
        "proxies": method.proxies_table(data),
        "config": data["config"],
        "pair_charts": [draw(each) for each in charts.pairs(data)],
        "tasks_chart": draw(charts.task_changes(data)),
        "charts_note": measures.charts_note(data),
        "prediction_charts": [draw(each) for each in charts.prediction_panels(data)],
        "contrast_charts": [draw(each) for each in charts.contrast_panels(data)],
        "swarm_chart": draw(charts.swarm_map(data)),
        "coverage_chart": draw(charts.coverage_chart(data)),
        "funnel_chart": draw(charts.funnel_chart(data)),
    }
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            **page,
            figures=json_in_html(figures),
            style=Markup((FOLDER / "page.css").read_text(encoding="utf-8")),
            script=Markup(script),
            library=packed,
            hashes=[sha256(script), sha256(library)],
        )
    )


def environment() -> Environment:
    """Return the templates' environment: all text is escaped, and made visible where it acts unseen."""
    found = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    found.filters["code"] = code
    return found


def code(text: str) -> Markup:
    """Return text, escaped, in which what stands between backticks is set as code."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(visible(text)))))


def json_in_html(value: Any, digits: int = 7) -> Markup:
    """Return JSON that is safe inside <script>: ASCII without `<`, `>` and `&`; digits: of every number."""
    text = json.dumps(rounded(value, digits), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def rounded(value: Any, digits: int) -> Any:
    """Return JSON data whose numbers have so many digits (a chart can show seven)."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, dict):
        return {key: rounded(each, digits) for key, each in value.items()}
    return [rounded(each, digits) for each in value] if isinstance(value, (list, tuple)) else value


@functools.cache
def plotly() -> tuple[str, str]:
    """Return plotly.js as text, and deflated in base64 (1.5 MB become 0.7).

    It is npm's `plotly.js-cartesian-dist-min` as published: the bundle that PyPI's `plotly` brings is three times as
    large, for maps and 3D that no chart here needs.
    """
    text = (FOLDER / "plotly" / "plotly-cartesian.min.js").read_text(encoding="utf-8")
    return text, base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def sha256(text: str) -> str:
    """Return the hash of a script as a content security policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
