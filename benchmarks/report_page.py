"""The report of a large swarm, 64 domains x 52 tasks x 512 runs, in a browser: bytes, time to load and of a slider.

    python benchmarks/report_page.py

The swarm is that of big_swarm.py; of each of its four kinds of task a blend of all laws is really fitted, and the 52
tasks of the page share these four forms, scaled apart so that their arrays do not compress together. The rest is the
planted run of the tests, enlarged. Needs Debian's chromium and the package playwright. The last line is one JSON
object: `mb`, `load_s` (to the load event), `ready_s` (predictions computed), of three loads the middle one;
`slider_ms` (from an input event to new predictions), `worst` (largest difference from what the laws predict, on 200
mixes; `worst_floors` in noise floors), `fit_s` (CPU seconds of one blend).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from big_swarm import NOISE, RUNS, SEED_BLOCKS, measured, mixes

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "pipeline" / "report"))

from report_fixture import build, config, enlarged  # pyright: ignore[reportMissingImports] - the tests' own

from pipeline.mixture.compact import form_record
from pipeline.mixture.laws.blend import MEMBERS, Blend
from pipeline.report.html import render_html
from pipeline.report.predictor import laws_of

LOADS = 3
TOUCH = """async () => {
  const slider = document.querySelectorAll('#weights input[type=range]')[3];
  const cell = document.querySelector('#predicted td');
  const taken = [];
  for (let i = 1; i <= 20; i++) {
    const before = cell.dataset.value, start = performance.now();
    slider.value = Number(slider.max) * i / 25;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    while (cell.dataset.value === before) await new Promise(requestAnimationFrame);
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b)[10];
}"""


def large_report(folder: Path) -> tuple[dict[str, Any], float]:
    """Return the page's data, and the CPU seconds of fitting one blend."""
    data = enlarged(build(folder / "run", config(laws=["linear"])))
    weights = mixes(np.random.default_rng(0))
    runs, domains = list(data["ratios"]), list(data["mix"]["weights"])
    data["ratios"] = {
        run: dict(zip(domains, row, strict=True)) for run, row in zip(runs, weights.tolist(), strict=True)
    }
    shares, forms, start = dict.fromkeys(MEMBERS, 1 / len(MEMBERS)), [], time.process_time()
    for kind in range(len(NOISE)):
        law = Blend(shares).fit(weights, measured(weights, kind), np.arange(RUNS) % SEED_BLOCKS)
        forms.append(form_record(law, 1.0, weights))
        print(f"kind {kind}: fitted after {time.process_time() - start:.0f} CPU-s", flush=True)
    seconds = (time.process_time() - start) / len(NOISE)
    for t, task in enumerate(data["forms"]):
        form, factor = forms[t % len(forms)], 1 + t / 1000
        data["forms"][task] = scaled(form, factor)
        data["fit"]["tasks"][task]["seed_sd"] = 0.1 * NOISE[t % len(NOISE)] * factor
    return data, seconds


def scaled(form: dict[str, Any], factor: float) -> dict[str, Any]:
    """The form of `factor` times the law."""

    def times(values: list[float]) -> list[float]:
        return [factor * value for value in values]

    return {
        **form,
        "offset": factor * form["offset"],
        "slope": times(form["slope"]),
        "roots": {power: times(each) for power, each in form["roots"].items()},
        "bends": times(form["bends"]),
        "exponentials": [{**each, "factor": factor * each["factor"]} for each in form["exponentials"]],
        "powers": [{**each, "factor": factor * each["factor"]} for each in form["powers"]],
        "processes": [{**each, "pulls": times(each["pulls"])} for each in form["processes"]],
        "trees": [{**tree, "values": times(tree["values"])} for tree in form["trees"]],
        "sds": times(form["sds"]),
        "checked": {key: times(each) for key, each in form["checked"].items()},
    }


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as temporary:
        data, fitting = large_report(Path(temporary))
        start = time.process_time()
        html = render_html(data)
        rendering = time.process_time() - start
        page_file = Path(temporary) / "report.html"
        page_file.write_text(html, encoding="utf-8")
        loads, ready, touches = [], [], []
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for _ in range(LOADS):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(page_file.as_uri())
                page.wait_for_selector("#whatif[data-ready]")
                ready.append(page.evaluate("performance.now()") / 1000)
                timing = "performance.timing.loadEventEnd - performance.timing.navigationStart"
                loads.append(page.evaluate(timing) / 1000)
                touches.append(page.evaluate(TOUCH))
                page.close()
            browser.close()
    worst = laws_of(data).worst
    result = {
        "mb": len(html.encode()) / 1e6,
        "load_s": statistics.median(loads),
        "ready_s": statistics.median(ready),
        "slider_ms": statistics.median(touches),
        "render_cpu_s": rendering,
        "fit_s": fitting,
        "worst": worst["mean"],
        "worst_floors": worst["floors"],
        "sd_error_median": worst["sd_median"],
        "sd_error_90": worst["sd_high"],
    }
    print(json.dumps({key: float(f"{value:.3g}") for key, value in result.items()}))


if __name__ == "__main__":
    main()
