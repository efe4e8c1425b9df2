"""Commands about swarms and models that were trained elsewhere, and about a run's own swarm before it is finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli_options import AsJson, Sets
from pipeline.errors import InputError


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
    sets: Sets = None,
) -> None:
    """Fit laws to a swarm from elsewhere, complete or not, and propose a mix. Tables are CSV or Parquet.

    With a MIX.yaml in place of the tables: to the proxies that its run has finished so far; nothing is trained.

    Examples:

    `mixwright fit --ratios ratios.csv --metrics metrics.csv --config mixes/from_csv.yaml --out fits/mine`

    `mixwright fit my.yaml --out fits/so-far`
    """
    from pipeline.driver import open_run
    from pipeline.load import load_mix
    from pipeline.own_swarm.fit import fit as fit_swarm
    from pipeline.own_swarm.report import summary
    from pipeline.progress import Progress
    from pipeline.unfinished import fit_finished

    if mix is not None and ratios is None and metrics is None and config is None:
        print(summary(fit_finished(open_run(load_mix(mix, sets or ())), out)))
    elif sets and mix is None and config is None:
        raise InputError("--set changes a YAML: give --config, or a MIX.yaml alone")
    elif mix is None and ratios is not None and metrics is not None:
        print(summary(fit_swarm(ratios, metrics, config, out, Progress(), sets or ())))
    else:
        raise InputError("give --ratios and --metrics (and --config), or a MIX.yaml alone")
    print(f"{out}/report.md has the rest, {out}/proposal.json the same for programs.")


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


def score(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A Hugging Face model.", show_default=False)],
    evals: Annotated[list[Path], typer.Option(metavar="FILE", help="Requests, pairs or questions; may be repeated.")],
    items: Annotated[int | None, typer.Option(metavar="N", min=1, help="A seeded sample of N items of each.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score any Hugging Face causal language model on eval files, with the metrics that runs use.

    Example: `mixwright score models/mine --evals samples/evals/arc_easy.jsonl.gz --items 100`
    """
    from pipeline.score_folder import score_folder, table

    found = score_folder(folder, evals, items)
    print(json.dumps(found) if as_json else table(found))
