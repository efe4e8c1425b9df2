"""The page: complete, first things first, self-contained, deterministic, and safe from its own contents."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pipeline_report_checks import lose, win
from report_fixture import EVIL, build, config, enlarged

from pipeline.mixture.laws import LAWS
from pipeline.mixture.pull import SHARE_OF_NOISE
from pipeline.report import regression
from pipeline.report.charts import pairs
from pipeline.report.html import json_in_html, render_html
from pipeline.report.measures import MOST_TASKS, charted_tasks
from pipeline.report.text import visible


class Page(HTMLParser):
    """Collects what a browser would act on: elements, scripts, and the text that is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style", "title"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.words.append(data.strip())
        elif self._inside[-1] == "script":
            self.scripts.append(data)

    @property
    def shown(self) -> list[str]:
        return [word for word in self.words if word]


def section(html: str, name: str) -> str:
    start = html.index(f'<section id="{name}">')
    return html[start : html.index("</section>", start)]


def test_every_number_of_the_first_screen_appears(data: dict[str, Any]) -> None:
    first = section(render_html(data), "decision")
    mix = data["mix"]
    for domain, weight in mix["weights"].items():
        low, high = (mix["uncertainty"]["interval"][side][domain] for side in ("low", "high"))
        assert f">{100 * weight:.1f} %<" in first
        assert f">{100 * low:.1f} to {100 * high:.1f} %<" in first
    for name, weights in mix["baselines"].items():
        for weight in weights.values():
            assert f">{100 * weight:.1f} %<" in first
        measured, predicted = mix["measured"][name], mix["predicted"][name]
        assert f">{measured['gain']:+.4f} ± {measured['gain_se']:.4f}<" in first
        assert f">{predicted['gain']:+.4f} ± {predicted['se']:.4f}<" in first
        p = measured["p_value"]
        assert f">{'&lt; 0.0001' if p < 1e-4 else f'{p:.4f}' if p < 0.01 else f'{p:.2f}'}<" in first
    for name, each in mix["measured"].items():
        assert f">{each['mean']:.4f} ± {each['se']:.4f}<" in first
        assert f">{mix['predicted'][name]['objective']:.4f}<" in first
    for epochs in mix["repetition"]["proposal"].values():
        assert f">{epochs:.2f}<" in first


@pytest.mark.parametrize(("change", "status"), [(win, "won"), (lose, "lost")])
def test_the_headline_comes_first(data: dict[str, Any], change: Any, status: str) -> None:
    change(data)
    html = render_html(data)
    assert Page(html).shown[0] == data["mix"]["headline"]
    assert f'<h1 class="{status}">' in html


def test_a_proposal_that_does_not_beat_all_says_so_first(data: dict[str, Any]) -> None:
    win(data)
    data["mix"]["headline"] = "The proposal beats natural, but not uniform."
    data["mix"]["measured"]["uniform"] |= {"wins": False, "gain": 0.0001, "p_value": 0.4}
    page = Page(render_html(data))
    assert page.shown[0] == "Not a clear win. The proposal beats natural, but not uniform."
    assert page.shown[1].startswith("Do not take it in place of uniform:")


def test_a_gain_that_was_not_predicted_is_said(data: dict[str, Any]) -> None:
    win(data)
    assert "is the one that was predicted" in Page(render_html(data)).shown[1]
    data["mix"]["predicted"]["natural"]["gain"] = 0.9
    assert "0.9000 over natural was predicted" in Page(render_html(data)).shown[1]


def test_runs_show_what_is_no_longer_on_offer(data: dict[str, Any]) -> None:
    before = Page(render_html(data)).shown.count("letters")
    data["swarm"]["gone"] = ["letters"]
    data["swarm"]["tokens"]["letters"] = 1_000
    for row in data["ratios"].values():
        row |= {name: 0.95 * weight for name, weight in row.items()}
        row["letters"] = 0.05
    for form in data["forms"].values():
        for each in (form, *form["exponentials"]):
            each["slope"].append(0.1)
    page = Page(render_html(data))
    assert page.shown.count("letters") == before + 1, "a column of the table of runs, and no row of the mix"
    assert '"letters"' in page.scripts[0], "and of the map of the swarm"


def test_text_from_documents_neither_runs_nor_turns_the_page(data: dict[str, Any]) -> None:
    clean = Page(render_html(data))
    data["title"] = EVIL
    data["mix"]["warnings"].append(EVIL)
    data["fit"]["notes"].append(EVIL)
    data["config"] += f"# {EVIL}\n"
    data["samples"]["wikipedia.qa/000"]["rejected"][0] |= {"origin": EVIL, "reason": EVIL, "text": EVIL}
    for row in data["funnel"]:
        row["reason"] = row["reason"].replace("too_short", EVIL)
    for table in (data["ratios"], data["metrics"], data["proxies"]):
        table[EVIL] = table.pop("uniform-b1")
    for mix in data["swarm"]["mixes"]:
        mix["run"] = mix["run"].replace("uniform-b1", EVIL)
    for task in data["fit"]["tasks"].values():
        for values in (task["measured"], *(score[key] for score in task["scores"] for key in ("predicted", "std"))):
            values[EVIL] = values.pop("uniform-b1")
    html = render_html(data)
    page = Page(html)
    assert len(page.scripts) == len(clean.scripts) == 4
    assert [tag for tag, _ in page.elements].count("script") == 4
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "\u202e" not in html
    shown = " ".join(page.shown)
    assert shown.count("<script>alert(1)</script> \"quoted\" 'single' [U+202E]right to left[U+202C] & done") >= 8
    figures = json.loads(page.scripts[0])
    labels = set(re.findall(r"[^\"]*alert[^\"]*", json.dumps(figures, ensure_ascii=False)))
    assert labels
    assert not any("<" in label for label in labels)


def test_json_cannot_end_its_script() -> None:
    text = "</script><!--<script>\u2028&"
    packed = json_in_html({"a": text})
    assert not re.search(r"[<>&\u2028]", packed)
    assert json.loads(packed) == {"a": text}


def test_nothing_is_loaded_from_elsewhere(data: dict[str, Any]) -> None:
    html = render_html(data)
    page = Page(html)
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert not re.search(r"https?://|@import|url\(", html)
    (policy,) = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 2
    assert "script-src 'unsafe" not in policy


def test_the_same_data_gives_the_same_bytes(data: dict[str, Any]) -> None:
    once = render_html(data)
    assert render_html(json.loads(json.dumps(data))) == once
    assert len(once.encode()) < 3e6


def test_flagged_tasks_are_named(data: dict[str, Any]) -> None:
    task = data["fit"]["tasks"]["bench/coin_flips"]
    task |= {"noisy": True, "weight": 0.0}
    data["mix"]["objective"]["weights"]["bench/coin_flips"] = 0.0
    html = render_html(data)
    assert "Set aside as noise: bench/coin_flips" in section(html, "decision")
    assert "set aside: noise" in section(html, "regression")


def test_a_noisy_task_that_is_forced_is_not_said_to_be_set_aside(data: dict[str, Any]) -> None:
    """It steers: the reader has to know that a part of the objective is mostly chance."""
    data["fit"]["tasks"]["bench/coin_flips"] |= {"noisy": True, "weight": 0.25}
    html = section(render_html(data), "decision")
    assert "Set aside as noise" not in html
    assert "Noise, but forced into the objective: bench/coin_flips" in html


def test_the_pull_is_described_as_it_is_chosen(data: dict[str, Any]) -> None:
    assert f"and {100 * SHARE_OF_NOISE:g} % of what another seed changes" in unescape(render_html(data))


def test_unknown_noise_is_said_and_not_zero(data: dict[str, Any]) -> None:
    for task in data["fit"]["tasks"].values():
        task |= {"seed_sd": None, "noisy": False}
    html = render_html(data)
    assert "its noise is unknown" in section(html, "decision")
    assert ">unknown<" in section(html, "regression")
    assert ">unknown<" in section(html, "measured")


@pytest.mark.parametrize(
    ("strength", "text"), [("inf", "as strong as can be"), (0.0, "none"), (0.0123, "strength 0.0123")]
)
def test_the_pull_to_the_prior_is_told(data: dict[str, Any], strength: float | str, text: str) -> None:
    data["mix"]["uncertainty"]["kl"]["strength"] = strength
    assert text in section(render_html(data), "method")


def test_a_proposal_that_is_a_baseline_is_called_so(data: dict[str, Any]) -> None:
    lose(data)
    data["mix"]["baselines"]["natural"] = data["mix"]["weights"]
    data["mix"]["measured"]["natural"] |= {"gain": 0.0, "gain_se": 0.0, "p_value": 1.0}
    assert ">is this mix<" in section(render_html(data), "decision")


def test_the_funnel_adds_up_or_says_that_it_does_not(data: dict[str, Any]) -> None:
    assert "off by" not in section(render_html(data), "curation")
    next(row for row in data["funnel"] if row["reason"] == "train")["documents"] -= 7
    assert section(render_html(data), "curation").count(">off by 7<") == 2  # the source's row and the total


def test_skipped_and_quarantined_records_of_every_reason_are_counted(data: dict[str, Any]) -> None:
    assert ">Skipped<" not in section(render_html(data), "curation")
    first = next(row for row in data["funnel"] if row["stage"] == "sources")
    for outcome, reason in (("skipped", "redirect"), ("quarantined", "not UTF-8")):
        data["funnel"].append({**first, "outcome": outcome, "reason": reason, "documents": 1234, "bytes": 0})
    shown = section(render_html(data), "curation")
    assert "Skipped" in shown
    assert "off by" not in shown
    assert "1,234" in shown


def test_samples_of_one_variant(tmp_path: Path, planted: dict[str, Any]) -> None:
    data = {**planted, "samples": {"ocr.clean/000": {"documents": [], "rejected": []}}}
    assert ">0 rewritten<" in section(render_html(data), "curation")


def test_without_variants_references_or_classifiers(plain: dict[str, Any]) -> None:
    html = render_html({**plain, "classifiers": {}, "samples": {}})
    assert "Rewriting" not in html
    assert "Classifiers" not in html
    assert set(plain["mix"]["baselines"]) == {"natural", "uniform", "best_observed"}


def test_each_chart_has_a_figure_and_a_name(data: dict[str, Any]) -> None:
    page = Page(render_html(data))
    figures = json.loads(page.scripts[0])
    places = [attributes for _, attributes in page.elements if "data-chart" in attributes]
    assert {place["data-chart"] for place in places} == set(figures)
    assert all(place["aria-label"] and place["role"] == "img" for place in places)


def test_numbers_in_tables_carry_their_value(data: dict[str, Any]) -> None:
    """A script that reads the page gets seven digits, not the rounded text."""
    html = section(render_html(data), "decision")
    weight = max(data["mix"]["weights"].values())
    assert f'data-value="{weight:.7g}"' in html


def test_a_large_swarm_stays_under_six_megabytes(data: dict[str, Any]) -> None:
    html = render_html(enlarged(data))
    assert len(html.encode()) < 6e6
    assert html.count('data-chart="predicted-') == MOST_TASKS + 1
    assert "412 more runs" in html


def test_a_seed_on_which_nothing_differs_is_neither_green_nor_red(data: dict[str, Any]) -> None:
    measured = data["mix"]["measured"]
    measured["natural"]["seeds"] = list(measured["proposal"]["seeds"])
    chart = next(each for each in pairs(data) if each.title.startswith("against natural"))
    lines = [trace["line"]["color"] for trace in chart.figure["data"] if "lines" in trace["mode"]]
    assert set(lines) == {"--dim"}


def test_charts_are_of_the_heaviest_tasks_and_say_which_are_left_out(data: dict[str, Any]) -> None:
    many = enlarged(data)
    weights = many["mix"]["objective"]["weights"]
    last = max(weights)  # by name it would come last
    weights[last] = 2 * max(weights.values())
    shown = charted_tasks(many)
    assert last in shown
    assert len(shown) == MOST_TASKS
    assert min(weights[task] for task in shown) >= max(w for task, w in weights.items() if task not in shown)
    note = f"Charts of the {MOST_TASKS} tasks of {len(weights)} that weigh most"
    assert section(render_html(many), "regression").count(note) == 1
    assert "Charts of the" not in render_html(data)


def test_visible_writes_out_what_acts_unseen() -> None:
    assert visible("a\u202eb\x00c\ufeff\td\n") == "a[U+202E]b[U+0000]c\ufeff\td\n"
    assert visible("naïve שלום 漢字") == "naïve שלום 漢字"


def test_the_law_in_use_is_shown_first_and_every_law_below(data: dict[str, Any]) -> None:
    used, every = regression.laws_table(data), regression.every_law_table(data)
    assert len(used.columns) == 4, "as much as a phone is wide"
    for row, below in zip(used.rows, every.rows, strict=True):
        name = row[0].text
        task = data["fit"]["tasks"][name]
        (score,) = (each for each in task["scores"] if each["law"] == task["law"])
        assert row[0].note == task["law"].replace("_", " ")
        assert [cell.value for cell in row[1:]] == [score["rmse"], score["r2"], score["spearman"]]
        assert below[0].text == name
        bold = [column.label for column, cell in zip(every.columns, below, strict=True) if cell.strong]
        assert bold == [row[0].note]
        assert {cell.value for cell in below[1:]} == {each["rmse"] for each in task["scores"]}
    page = section(render_html(data), "regression")
    assert page.index(used.caption) < page.index(every.caption)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_chromium_draws_the_charts(data: dict[str, Any], tmp_path: Path) -> None:
    """The library unpacks and runs under the policy, and no script of the page fails."""
    page = tmp_path / "report.html"
    page.write_text(render_html(data), encoding="utf-8")
    command = [
        "chromium",
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
    ]
    command += ["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=20000",
        "--window-size=1440,9000",
    ]
    done = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('class="main-svg"') > 20
    assert "alert(1)" in unescape(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
@pytest.mark.parametrize(("width", "tables"), [(1200, 2), (375, 1)])
def test_the_regression_tables_fit_their_window(data: dict[str, Any], tmp_path: Path, width: int, tables: int) -> None:
    """All laws there are in a window of a laptop, the law in use on a phone, with nothing to scroll sideways."""
    for task in data["fit"]["tasks"].values():
        task["scores"] = [{**task["scores"][0], "law": law} for law in LAWS]
        task["law"] = "gaussian_process"
    html = render_html(data).replace("<details>", "<details open>")
    html = re.sub(r"<meta http-equiv[^>]*>|<script>.*?</script>", "", html, flags=re.DOTALL)
    narrow = f"document.body.style.width = '{width}px'"  # no window is under 500 wide
    measure = "[...document.querySelectorAll('#regression .scroll')].map(e => e.scrollWidth - e.clientWidth).join()"
    page = tmp_path / "report.html"
    page.write_text(
        html.replace("</body>", f"<script>{narrow}; document.title = {measure}</script></body>"), encoding="utf-8"
    )
    command = ["chromium", "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    command += ["--hide-scrollbars", f"--window-size={width},900", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    (over,) = re.findall(r"<title>([-0-9,]+)</title>", done.stdout)
    assert over.split(",")[:tables] == ["0"] * tables


def test_fixture_builds_from_the_real_stages(tmp_path: Path) -> None:
    """One variant only, and the data has the keys that the report's docstring promises."""
    data = build(tmp_path / "run", config(variants=1, runs=12, seeds=2, laws=["linear"]))
    assert list(data["samples"]) == ["wikipedia.qa/000"]
    assert "ocr.clean" not in render_html(data)
