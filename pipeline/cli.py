"""The command line. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import traceback
from typing import Annotated

import typer

from pipeline import classifier_cli, export_cli, report_cli, store_cli, swarm_cli, yaml_cli
from pipeline.cli_options import Address, AsJson, Mix, RunFolder, Sets
from pipeline.errors import InputError, MixwrightError
from pipeline.redaction import redacted
from pipeline.visible import visible

COLUMNS = shutil.get_terminal_size().columns
WIDTH = COLUMNS if sys.stdout.isatty() else None
"""Columns that tables have to fit in; None where nobody looks."""
NARROW = COLUMNS < 60
"""Whether help is plain text: in tables every other word would be cut."""

app = typer.Typer(
    help="Find the best data mix for pretraining a language model: from raw shards to a proven proposal.",
    epilog="Exit codes: 0 done (also when the proposal loses), 1 a unit failed, 2 wrong input, 3 too much bad data, "
    "130 stopped by Ctrl-C. The same command always goes on from where it was.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None if NARROW else "markdown",
    context_settings={"terminal_width": COLUMNS} if NARROW else {},
)
app.command()(yaml_cli.init)
app.add_typer(classifier_cli.app, name="classifier")

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


@app.command()
def run(
    mix: Mix,
    address: Address = None,
    sets: Sets = None,
    mlflow: Annotated[str | None, typer.Option(metavar="URI", help="MLflow server to log every proxy on.")] = None,
) -> None:
    """Run all stages, resuming; the last line of standard output is the run folder.

    Examples:

    `mixwright run mixes/quickstart.yaml`

    `mixwright run my.yaml --set swarm.runs=96 --address auto`
    """
    from pipeline.driver import open_run, publish_folder, run_stages, summary
    from pipeline.load import load_mix
    from pipeline.progress import Progress
    from pipeline.tracking import Tracker

    started = time.monotonic()
    progress = Progress()
    state = open_run(load_mix(mix, sets or ()))
    tracker = Tracker(state, mlflow, progress.say) if mlflow else None
    executed = run_stages(state, progress, address, tracker=tracker)
    folder = publish_folder(state)
    for note in dict.fromkeys(state.notes):
        progress.say(note)
    progress.say(summary(executed, started))
    (report,) = state.of("report")
    print(visible((state.store.local(report.ref) / "verdict.txt").read_text(encoding="utf-8").strip()))
    print(folder)


@app.command()
def plan(
    mix: Mix,
    gpu_hours: Annotated[float | None, typer.Option(metavar="H", help="Suggest preset and runs for GPU hours.")] = None,
    cpu_hours: Annotated[float | None, typer.Option(metavar="H", help="The same for hours of one core.")] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Show what `run` would do, why, and what it is expected to take, and execute nothing.

    With hours: suggest a preset and a number of runs for them.

    Example: `mixwright plan mixes/quickstart.yaml --gpu-hours 24`
    """
    from pipeline.driver import open_run, suggest_size
    from pipeline.load import load_mix
    from pipeline.plan import explained_plan
    from pipeline.plan_text import plan_text

    state = open_run(load_mix(mix, sets or ()))
    if gpu_hours is not None or cpu_hours is not None:
        print(suggest_size(state, gpu_hours=gpu_hours, cpu_hours=cpu_hours))
        return
    found = explained_plan(state)
    print(json.dumps(found.record(), ensure_ascii=False) if as_json else visible(plan_text(found)))


@app.command()
def check(mix: Mix, sets: Sets = None, as_json: AsJson = False) -> None:
    """Validate a mix YAML only: all mistakes at once, each with file, line, key and the nearest valid name.

    Examples:

    `mixwright check mixes/quickstart.yaml`

    `mixwright check my.yaml --set proxy.preset=1m --json`
    """
    from pipeline.load import load_mix

    try:
        config = load_mix(mix, sets or ()).config
    except InputError as error:
        if as_json:
            print(json.dumps({"good": False, "mistakes": redacted(str(error)).splitlines()}, ensure_ascii=False))
            raise typer.Exit(error.exit_code) from None
        raise
    domains, runs = config.domain_names(), sum(config.swarm.sizes)
    if as_json:
        record = {"good": True, "mistakes": [], "sources": list(config.sources), "domains": domains, "runs": runs}
        print(json.dumps(record, ensure_ascii=False))
    else:
        print(f"{mix}: good; {len(config.sources)} sources, {len(domains)} domains, {runs} runs")


@app.command()
def curate(mix: Mix, address: Address = None, sets: Sets = None) -> None:
    """Run the stages up to tokenize and print what was kept.

    Example: `mixwright curate mixes/quickstart.yaml`
    """
    from pipeline.driver import open_run, run_stages, summary
    from pipeline.funnel import funnel, funnel_text
    from pipeline.load import load_mix
    from pipeline.progress import Progress
    from pipeline.stages import CURATION

    started = time.monotonic()
    progress = Progress()
    state = open_run(load_mix(mix, sets or ()))
    executed = run_stages(state, progress, address, until=CURATION)
    for note in dict.fromkeys(state.notes):
        progress.say(note)
    progress.say(summary(executed, started))
    print(visible(funnel_text(funnel(state), WIDTH)))


@app.command()
def funnel(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder or its URL, or the mix YAML of a curation.")],
    examples: Annotated[bool, typer.Option("--examples", help="Show ten documents of every reason.")] = False,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this source and its domains.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="NAME", help="Only examples of this reason.")] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Print documents, bytes and tokens in and out by source, stage and reason; with examples of what was dropped.

    Example: `mixwright funnel runs/quickstart-1a2b3c4d --examples --source wikipedia`
    """
    from pipeline.examples import examples_text
    from pipeline.funnel import chosen, funnel_text, read_funnel

    counts, dropped = read_funnel(run, sets or ())
    counts = chosen(counts, "name", source)
    shown = chosen(chosen(dropped, "source", source), "reason", reason) if examples or reason else None
    if as_json:
        record = {"funnel": counts.to_dicts(), "examples": shown.to_dicts() if shown is not None else []}
        print(json.dumps(record, ensure_ascii=False))
        return
    print(visible(funnel_text(counts, WIDTH)))
    if shown is not None:
        print(visible(examples_text(shown)))


@app.command()
def report(
    run: RunFolder, open_page: Annotated[bool, typer.Option("--open", help="Open the HTML in a browser.")] = False
) -> None:
    """Print a finished run's report as Markdown.

    Example: `mixwright report runs/quickstart-1a2b3c4d --open`
    """
    import webbrowser

    from pipeline.run_folder import find_run_folder

    folder = find_run_folder(run, "report.md", "report.html")
    print(visible((folder / "report.md").read_text(encoding="utf-8")))
    if open_page:
        webbrowser.open((folder / "report.html").resolve().as_uri())


@app.command()
def status(run: RunFolder, as_json: AsJson = False) -> None:
    """Print a finished run's mix and verdict in a few lines.

    Example: `mixwright status runs/quickstart-1a2b3c4d`
    """
    from pipeline.run_folder import find_run_folder

    folder = find_run_folder(run, "verdict.txt")
    mix = json.loads((folder / "mix.json").read_text(encoding="utf-8"))
    verdict = (folder / "verdict.txt").read_text(encoding="utf-8").strip()
    if as_json:
        record = {"verdict": verdict, "weights": mix["weights"], "natural": mix["baselines"]["natural"]}
        print(json.dumps(record | {"measured": mix["measured"]}, ensure_ascii=False))
        return
    width = max(len(name) for name in mix["weights"])
    print(visible(verdict))
    print(f"  {'':<{width}} {'weight':>8} {'natural':>8}")
    for name, weight in sorted(mix["weights"].items(), key=lambda pair: -pair[1]):
        print(f"  {visible(name):<{width}} {weight:8.2%} {mix['baselines']['natural'].get(name, 0):8.2%}")


app.command()(swarm_cli.fit)
app.command()(swarm_cli.predict)
app.command(name="next")(swarm_cli.next_)
app.command()(swarm_cli.score)
app.command()(yaml_cli.schema)
app.command()(report_cli.compare)
app.command()(store_cli.diff)
app.command()(store_cli.gc)
app.command()(export_cli.export)


def main() -> None:
    """Run the command line; a user's mistake is one message on standard error and its exit code.

    No message holds a secret of the environment, and none holds what a terminal would obey.
    """
    try:
        app(prog_name="mixwright")
    except MixwrightError as error:
        print(visible(redacted(str(error))), file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == STOPPED:
            print("stopped; what is finished is kept, and the same command goes on from here", file=sys.stderr)
        _flush()
        raise
    except Exception:
        print(visible(redacted(traceback.format_exc())), file=sys.stderr)
        sys.exit(1)


def _flush() -> None:
    """Write what is left, unless whoever read it (`| head`) has gone: Python would print a traceback as it ends."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
