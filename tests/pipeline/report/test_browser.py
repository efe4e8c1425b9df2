"""The report in a real browser: it predicts what `mixwright predict` predicts, sorts, changes its theme, fits a phone,
can be read aloud, loads nothing, and is not moved by what documents say."""

from __future__ import annotations

import copy
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from report_fixture import EVIL, build, config, enlarged

from pipeline.laws import law_version
from pipeline.own_swarm.folder import FORMAT
from pipeline.report.comparison import Compared, comparison_html
from pipeline.report.html import render_html

playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, html: str, folder: Path, ready: str = "#whatif[data-ready]", **how: Any) -> Iterator[Any]:
    """Open a report; afterwards the console must have been silent, and nothing asked of the network."""
    (folder / "report.html").write_text(html, encoding="utf-8")
    page = browser.new_page(**{"viewport": {"width": 1440, "height": 900}, **how})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "blob:", "data:")) else said.append(request.url),
    )
    page.goto((folder / "report.html").as_uri())
    page.wait_for_selector(ready)
    yield page
    assert said == []
    page.close()


def fit_folder(stages: Path, out: Path) -> Path:
    """A folder as `mixwright predict` reads it, of a planted run's fit."""
    out.mkdir()
    for name in ("ratios.csv", "metrics.csv"):
        shutil.copyfile(stages / "fit" / name, out / name)
    fitted = json.loads((stages / "fit" / "fit.json").read_text())
    for task in fitted["tasks"].values():
        task |= {"version": law_version(False), "maximised": False}
    blocks = json.loads((stages / "fit" / "blocks.json").read_text())
    (out / "fit.json").write_text(json.dumps(fitted | {"format": FORMAT, "blocks": blocks}))
    return out


def predicted(folder: Path, weights: dict[str, float], tmp_path: Path) -> dict[str, float]:
    """What the command says of one mix."""
    asked, out = tmp_path / "asked.csv", tmp_path / "predicted.csv"
    with asked.open("w", newline="") as file:
        csv.writer(file).writerows([["run", *weights], ["mine", *map(repr, weights.values())]])
    command = [sys.executable, "-m", "pipeline", "predict", str(folder), "--ratios", str(asked), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    return {task: float(value) for task, value in row.items() if task != "run"}


def weights_of(page: Any) -> dict[str, float]:
    rows = page.locator("#weights tbody tr").evaluate_all(
        "rows => rows.map(row => [row.querySelector('th').textContent, Number(row.dataset.weight)])"
    )
    return dict(rows)


def shown(page: Any) -> dict[str, float]:
    rows = page.locator("#predicted tbody tr").evaluate_all(
        "rows => rows.map(row => [row.querySelector('th').firstChild.textContent,"
        " Number(row.querySelector('td').dataset.value)])"
    )
    return dict(rows)


@pytest.mark.parametrize(
    ("laws", "tolerance"), [(["linear"], 1e-6), (["log_linear"], 1e-6), (None, None)], ids=["linear", "log", "all"]
)
def test_a_moved_slider_predicts_what_the_command_predicts(
    browser: Any, tmp_path: Path, laws: list[str] | None, tolerance: float | None
) -> None:
    data = build(tmp_path / "run", config(laws=laws, runs=32))
    folder = fit_folder(tmp_path / "run", tmp_path / "fit")
    with opened(browser, render_html(data), tmp_path) as page:
        before = shown(page)
        slider = page.locator("#weights tbody tr").nth(1).locator("input[type=range]")
        slider.focus()
        for _ in range(40):
            page.keyboard.press("ArrowRight")
        page.locator("#weights tbody tr").nth(0).locator("input[type=checkbox]").check()
        typed = page.locator("#weights tbody tr").nth(2).locator("input[type=number]")
        held = weights_of(page)
        typed.fill("21.5")
        typed.press("Enter")
        page.wait_for_timeout(100)
        weights, after = weights_of(page), shown(page)
        names = list(weights)
        assert sum(weights.values()) == pytest.approx(1)
        assert weights[names[2]] == pytest.approx(0.215)
        assert weights[names[0]] == held[names[0]], "held"
        assert weights[names[1]] / weights[names[3]] == pytest.approx(held[names[1]] / held[names[3]])
        assert before != after
        expected = predicted(folder, weights, tmp_path)
        assert len(expected) == len(after) - 1
        for task, value in expected.items():
            noise = data["fit"]["tasks"][task]["seed_sd"]
            assert after[task] == pytest.approx(value, abs=tolerance or noise / 5)
        page.get_by_role("button", name="Reset to proposal").click()
        page.wait_for_timeout(100)
        assert weights_of(page) == pytest.approx(data["mix"]["weights"])
        for task, value in data["mix"]["predicted"]["proposal"]["tasks"].items():
            assert shown(page)[task] == pytest.approx(value, abs=1e-5)


def test_limits_that_break_are_named_and_the_mix_is_yaml(browser: Any, data: dict[str, Any], tmp_path: Path) -> None:
    import yaml

    with opened(browser, render_html(data), tmp_path) as page:
        assert page.locator("#whatif-broken li").count() == 0
        typed = page.get_by_label("Percent of speeches")
        typed.fill("90")
        typed.press("Enter")
        page.wait_for_timeout(100)
        text = page.locator("#whatif-broken").inner_text()
        assert "repetition of speeches <= 4" in text
        assert "No run had such a weight" in text
        mix = yaml.safe_load(page.locator("#whatif-yaml").input_value())["references"]["what_if"]
        assert sum(mix.values()) == pytest.approx(1, abs=1e-9)
        assert mix["speeches"] == pytest.approx(0.9, abs=1e-4)
        page.get_by_role("button", name="Copy as YAML").click()


def test_a_table_sorts_by_numbers_and_back(browser: Any, data: dict[str, Any], tmp_path: Path) -> None:
    with opened(browser, render_html(data), tmp_path) as page:
        table = page.get_by_role("table", name="How well the law in use predicts mixes that it was not fitted on")
        column = "rows => rows.map(row => Number(row.cells[1].dataset.value))"
        heading = table.get_by_role("button", name="RMSE")
        heading.focus()
        page.keyboard.press("Enter")
        found = table.locator("tbody tr").evaluate_all(column)
        assert found == sorted(found, reverse=True)
        assert len(found) == len(data["fit"]["tasks"])
        assert table.locator("th[aria-sort=descending]").count() == 1
        heading.click()
        assert table.locator("tbody tr").evaluate_all(column) == sorted(found)
        funnel = page.get_by_role("table", name="Documents by what became of them")
        funnel.get_by_role("button", name="Records").click()
        assert funnel.locator("tfoot th").inner_text() == "all"


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_switched(
    browser: Any, data: dict[str, Any], tmp_path: Path, system: str
) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, render_html(data), tmp_path, color_scheme=system) as page:
        first = page.evaluate(ground)
        assert first == {"light": "rgb(253, 253, 252)", "dark": "rgb(20, 23, 27)"}[system]
        page.locator("[data-chart=task-changes]").scroll_into_view_if_needed()
        line = "getComputedStyle(document.querySelector('[data-chart=task-changes] .xtick text')).fill"
        page.locator("[data-chart=task-changes] .xtick text").first.wait_for(state="attached")
        drawn = page.evaluate(line)
        page.get_by_role("button", name="Light or dark").click()
        assert page.evaluate(ground) != first
        assert page.evaluate(line) != drawn, "charts follow"
        page.get_by_role("button", name="Light or dark").click()
        assert page.evaluate(ground) == first


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_window(browser: Any, data: dict[str, Any], tmp_path: Path, width: int) -> None:
    with opened(browser, render_html(data), tmp_path, viewport={"width": width, "height": 844}) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def serious_faults(page: Any) -> dict[str, list[str]]:
    """What axe-core finds that is serious or critical: rule → a few elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    return {
        each["id"]: [node["html"] for node in each["nodes"][:3]]
        for each in axe.Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    }


@pytest.mark.parametrize("width", [390, 1440])
def test_runs_side_by_side_are_a_page_of_the_same_kind(
    browser: Any, data: dict[str, Any], tmp_path: Path, width: int
) -> None:
    for seed, name in enumerate(("one", "two"), start=1):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mix.json").write_text(json.dumps(data["mix"]))
        (tmp_path / name / "mix.yaml").write_text(data["config"].replace("seed: 1\n", f"seed: {seed}\n", 1))
    html = comparison_html(Compared([str(tmp_path / "one"), str(tmp_path / "two")]))
    html = html.replace('http-equiv="Content-Security-Policy"', 'name="policy"')
    size = {"width": width, "height": 844}
    with opened(browser, html, tmp_path, ready="[data-chart=tasks]", viewport=size) as page:
        page.locator("[data-chart=tasks]").scroll_into_view_if_needed()
        page.locator("[data-chart=tasks] .xtick").first.wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert serious_faults(page) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_of_accessibility(browser: Any, data: dict[str, Any], tmp_path: Path, scheme: str) -> None:
    # the page's own policy forbids scripts that are not its own, axe's too
    html = render_html(data).replace('http-equiv="Content-Security-Policy"', 'name="policy"')
    with opened(browser, html, tmp_path, color_scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
        page.wait_for_timeout(500)
        assert serious_faults(page) == {}


def hostile(data: dict[str, Any], word: str) -> dict[str, Any]:
    """The planted data with hostile names of runs, titles, notes and texts."""
    data = copy.deepcopy(data)
    data["title"] = word[:2000]
    data["mix"]["warnings"].append(word)
    data["fit"]["notes"].append(word)
    data["samples"]["wikipedia.qa/000"]["rejected"][0] |= {"origin": word[:2000], "reason": word[:2000], "text": word}
    data["examples"][0] |= {"text": word, "id": word[:2000]}
    data["config"] += f"# {word}\n"
    return data


@pytest.mark.parametrize(
    "word",
    [EVIL, '"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>", "\u202e\u2067abc", "x" * 1_000_000],
    ids=["script", "image", "end", "bidi", "long"],
)
def test_hostile_text_neither_runs_nor_breaks_the_page(
    browser: Any, data: dict[str, Any], tmp_path: Path, word: str
) -> None:
    html = render_html(hostile(data, word))
    with opened(browser, html, tmp_path, viewport={"width": 390, "height": 844}) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => (each.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("document.images.length") == 0
        assert page.evaluate("document.scripts.length") == 5  # the page's four and the library that they unpack
        assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"


def test_a_large_swarm_loads_in_time(browser: Any, data: dict[str, Any], tmp_path: Path) -> None:
    """Under two seconds to loaded and ready, on a machine that may be busy: three tries."""
    html = render_html(enlarged(data))
    assert len(html.encode()) < 6e6
    taken = []
    for _ in range(3):
        with opened(browser, html, tmp_path) as page:
            timing = "performance.timing.loadEventEnd - performance.timing.navigationStart"
            taken.append(page.evaluate(timing))
    assert min(taken) < 2000
