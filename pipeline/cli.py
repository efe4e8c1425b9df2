"""The command line. Heavy libraries are imported by the commands that need them."""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer

from pipeline import classifier_cli, export_cli, store_cli
from pipeline.errors import InputError, MixwrightError
from pipeline.redaction import redacted
from pipeline.visible import visible

app = typer.Typer(
    help="Find the best data mix for pretraining a language model: from raw shards to a proven proposal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(classifier_cli.app, name="classifier")

Mix = Annotated[Path, typer.Argument(metavar="MIX.yaml", help="The mix YAML.", show_default=False)]
RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or its URL.", show_default=False)]
Address = Annotated[str | None, typer.Option(help="Ray cluster to join, e.g. auto; starts a local Ray if absent.")]


@app.command()
def run(
    mix: Mix,
    address: Address = None,
    mlflow: Annotated[str | None, typer.Option(metavar="URI", help="MLflow server to log every proxy on.")] = None,
) -> None:
    """Run all stages, resuming; the last line of standard output is the run folder.

    Example: `mixwright run mixes/quickstart.yaml`
    """
    from pipeline.driver import open_run, publish_folder, run_stages, summary
    from pipeline.load import load_mix
    from pipeline.progress import Progress
    from pipeline.tracking import Tracker

    started = time.monotonic()
    progress = Progress()
    state = open_run(load_mix(mix))
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of text.")] = False,
) -> None:
    """Show what `run` would do, why, and what it is expected to take, and execute nothing.

    With hours: suggest a preset and a number of runs for them.

    Example: `mixwright plan mixes/quickstart.yaml --gpu-hours 24`
    """
    from pipeline.driver import open_run, suggest_size
    from pipeline.load import load_mix
    from pipeline.plan import explained_plan
    from pipeline.plan_text import plan_text

    state = open_run(load_mix(mix))
    if gpu_hours is not None or cpu_hours is not None:
        print(suggest_size(state, gpu_hours=gpu_hours, cpu_hours=cpu_hours))
        return
    found = explained_plan(state)
    print(json.dumps(found.record(), ensure_ascii=False) if as_json else visible(plan_text(found)))


@app.command()
def check(mix: Mix) -> None:
    """Validate a mix YAML only.

    Example: `mixwright check mixes/quickstart.yaml`
    """
    from pipeline.load import load_mix

    config = load_mix(mix).config
    runs = sum(config.swarm.sizes)
    print(f"{mix}: good; {len(config.sources)} sources, {len(config.domain_names())} domains, {runs} runs")


@app.command()
def curate(mix: Mix, address: Address = None) -> None:
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
    state = open_run(load_mix(mix))
    executed = run_stages(state, progress, address, until=CURATION)
    for note in dict.fromkeys(state.notes):
        progress.say(note)
    progress.say(summary(executed, started))
    print(visible(funnel_text(funnel(state))))


@app.command()
def funnel(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder or its URL, or the mix YAML of a curation.")],
    examples: Annotated[bool, typer.Option("--examples", help="Show ten documents of every reason.")] = False,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this source and its domains.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="NAME", help="Only examples of this reason.")] = None,
) -> None:
    """Print documents, bytes and tokens in and out by source, stage and reason; with examples of what was dropped.

    Example: `mixwright funnel runs/quickstart-1a2b3c4d --examples --source wikipedia`
    """
    from pipeline.examples import examples_text
    from pipeline.funnel import chosen, funnel_text, read_funnel

    counts, dropped = read_funnel(run)
    print(visible(funnel_text(chosen(counts, "name", source))))
    if examples or reason:
        print(visible(examples_text(chosen(chosen(dropped, "source", source), "reason", reason))))


@app.command()
def fit(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    mix: Annotated[
        Path | None,
        typer.Argument(metavar="MIX.yaml", help="A run whose swarm may be unfinished.", show_default=False),
    ] = None,
    ratios: Annotated[
        Path | None, typer.Option(metavar="R.csv", help="Weights: an id column, one column a domain.")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(metavar="M.csv", help="Metrics: an id column, one column a task.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="MIX.yaml", help="Tokens, objective, limits, references.")
    ] = None,
) -> None:
    """Fit laws to a swarm from elsewhere, complete or not, and propose a mix. Tables are CSV or Parquet.

    With a MIX.yaml in place of the tables: to the proxies that its run has finished so far; nothing is trained.

    Example: `mixwright fit --ratios ratios.csv --metrics metrics.csv --config mixes/from_csv.yaml --out fits/mine`
    """
    from pipeline.driver import open_run
    from pipeline.load import load_mix
    from pipeline.own_swarm.fit import fit as fit_swarm
    from pipeline.own_swarm.report import summary
    from pipeline.progress import Progress
    from pipeline.unfinished import fit_finished

    if mix is not None and ratios is None and metrics is None and config is None:
        print(summary(fit_finished(open_run(load_mix(mix)), out)))
    elif mix is None and ratios is not None and metrics is not None:
        print(summary(fit_swarm(ratios, metrics, config, out, Progress())))
    else:
        raise InputError("give --ratios and --metrics (and --config), or a MIX.yaml alone")
    print(f"{out}/report.md has the rest, {out}/proposal.json the same for programs.")


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `fit` wrote.", show_default=False)],
    ratios: Annotated[Path, typer.Option(metavar="T.csv", help="Mixes over the same domains.")],
    out: Annotated[Path, typer.Option(metavar="P.csv", help="Table to write, .csv or .parquet.")],
) -> None:
    """Predict every task for other mixes, with the laws of a fit.

    Example: `mixwright predict fits/mine --ratios candidates.csv --out predicted.csv`
    """
    from pipeline.own_swarm.predict import predict as predict_mixes
    from pipeline.progress import Progress

    count = predict_mixes(folder, ratios, out, Progress())
    print(f"{out}: {count} mixes predicted")


@app.command(name="next")
def next_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `fit` wrote.", show_default=False)],
    pool: Annotated[Path, typer.Option(metavar="P.csv", help="Candidates: mixes over the same domains.")],
    runs: Annotated[int, typer.Option(metavar="N", help="How many of them to train.")],
    out: Annotated[Path, typer.Option(metavar="NEXT.csv", help="Table to write, .csv or .parquet.")],
) -> None:
    """Choose from a pool the mixes whose training would teach most about all tasks, by a fit so far.

    Example: `mixwright next fits/mine --pool candidates.csv --runs 16 --out next.csv`
    """
    from pipeline.own_swarm.next import choose_next
    from pipeline.progress import Progress

    print(f"{out}: {choose_next(folder, pool, runs, out, Progress())} mixes to train next, the most telling first")


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
def status(run: RunFolder) -> None:
    """Print a finished run's mix and verdict in a few lines.

    Example: `mixwright status runs/quickstart-1a2b3c4d`
    """
    from pipeline.run_folder import find_run_folder

    folder = find_run_folder(run, "verdict.txt")
    mix = json.loads((folder / "mix.json").read_text(encoding="utf-8"))
    print(visible((folder / "verdict.txt").read_text(encoding="utf-8").strip()))
    for name, weight in sorted(mix["weights"].items(), key=lambda pair: -pair[1]):
        print(f"  {visible(name):<24} {weight:7.2%}  (natural {mix['baselines']['natural'].get(name, 0):7.2%})")


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A Hugging Face model.", show_default=False)],
    evals: Annotated[list[Path], typer.Option(metavar="FILE", help="Requests, pairs or questions; may be repeated.")],
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="A seeded sample of N items of each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Score any Hugging Face causal language model on eval files, with the metrics that runs use.

    Example: `mixwright score models/mine --evals samples/evals/arc_easy.jsonl.gz --items 100`
    """
    from pipeline.score_folder import score_folder, table

    found = score_folder(folder, evals, items)
    print(json.dumps(found) if as_json else table(found))


app.command()(store_cli.diff)
app.command()(store_cli.gc)
app.command()(export_cli.export)


def main() -> None:
    """Run the command line; a user's mistake is one message on standard error and its exit code.

    No message holds a secret of the environment, and none holds what a terminal would obey.
    """
    try:
        app()
    except MixwrightError as error:
        print(visible(redacted(str(error))), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception:
        print(visible(redacted(traceback.format_exc())), file=sys.stderr)
        sys.exit(1)
