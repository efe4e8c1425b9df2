"""`mixwright classifier`: train a quality classifier on files of good and bad documents, and measure any."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import InputError, nearest

if TYPE_CHECKING:
    from classifiers.base import ScorerParams
    from classifiers.labelled import Documents

app = typer.Typer(help="Train and measure quality classifiers for `annotate`.", no_args_is_help=True)

Positive = Annotated[list[str], typer.Option(metavar="FILE", help="Good documents; a glob, or repeated.")]
Negative = Annotated[list[str], typer.Option(metavar="FILE", help="Bad ones; may be the same file with conditions.")]
PositiveIf = Annotated[str | None, typer.Option(metavar="SQL", help="Take only those with, e.g. `score >= 5`.")]
NegativeIf = Annotated[str | None, typer.Option(metavar="SQL", help="The same for the bad ones.")]
Text = Annotated[str, typer.Option(metavar="FIELD", help="Field that holds the text.")]
Group = Annotated[
    str | None, typer.Option(metavar="FIELD", help="Field whose value stays on one side of every split, e.g. a thread.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="Format of folders and of files whose ending tells none, e.g. code."),
]
FormatParams = Annotated[
    list[str] | None,
    typer.Option("--format-param", metavar="NAME=VALUE", help="A setting of a format, e.g. separator=;; repeated."),
]
Params = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the classifier; repeated.")
]
Seed = Annotated[int, typer.Option(min=0)]


@app.command()
def train(
    positive: Positive,
    negative: Negative,
    model: Annotated[str, typer.Option(metavar="fasttext|sklearn", help="Kind of classifier.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    positive_if: PositiveIf = None,
    negative_if: NegativeIf = None,
    text: Text = "text",
    group: Group = None,
    form: Format = None,
    format_param: FormatParams = None,
    folds: Annotated[
        int, typer.Option(min=1, help="Every document is held out once, in so many folds; 1 holds out a fifth.")
    ] = 5,
    keep: Annotated[
        float | None, typer.Option(metavar="FRACTION", help="Choose the threshold that keeps this fraction.")
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="What it is a fraction of; if absent what the model did not see."),
    ] = None,
    param: Params = None,
    seed: Seed = 1,
) -> None:
    """Train a classifier, measure it on held-out documents, calibrate it, and write it with its card.

    Example: `mixwright classifier train --positive good.parquet --negative web.jsonl.gz --model fasttext --keep 0.1
    --pool web.jsonl.gz --out classifiers/good`
    """
    from classifiers.model_card import card_text
    from classifiers.quality import train as train_classifier
    from classifiers.ranking import check_keep
    from pipeline.labelled_files import Reading, check_params, read_documents

    if keep is not None:
        try:
            check_keep(keep)
        except ValueError as error:
            raise InputError(f"--keep: {error}") from None
    if pool and keep is None:
        raise InputError("--pool is what --keep is a fraction of: give both")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "card.json").is_file())):
        raise InputError(f"--out: {out} exists and is no folder of a classifier")
    params = _params(model, param)
    how = Reading(text, group, form, _values("--format-param", format_param))
    check_params([*positive, *negative, *(pool or [])], how)
    good, bad = _sides(positive, negative, positive_if, negative_if, how)
    from_pool = read_documents(pool, replace(how, group=None)) if pool else None
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        made = Path(scratch) / out.name
        try:
            card = train_classifier(
                model,  # type: ignore[arg-type]  # checked by _params
                good,
                bad,
                made,
                seed,
                params,
                folds=folds,
                keep=keep,
                pool=from_pool,
            )
        except ValueError as error:
            raise InputError(str(error)) from None
        shutil.rmtree(out, ignore_errors=True)
        made.rename(out)
    print(card_text(card))
    print(out)


@app.command()
def evaluate(
    classifier: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `train` wrote, or any fastText model.", show_default=False)
    ],
    positive: Positive,
    negative: Negative,
    positive_if: PositiveIf = None,
    negative_if: NegativeIf = None,
    text: Text = "text",
    group: Group = None,
    form: Format = None,
    format_param: FormatParams = None,
    param: Params = None,
    seed: Seed = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of Markdown.")] = False,
) -> None:
    """Measure a classifier on other documents. Those that it was trained on are left out and counted.

    Example: `mixwright classifier evaluate classifiers/good --positive new.parquet --negative other.jsonl.gz`
    """
    from classifiers.model_card import CARD_FILE, evaluation_text, read_card
    from classifiers.quality import evaluate as evaluate_classifier
    from pipeline.labelled_files import Reading, check_params

    if not classifier.exists():
        raise InputError(f"{classifier}: no such file or folder")
    if classifier.is_dir() and not (classifier / CARD_FILE).is_file():
        raise InputError(f"{classifier}: no {CARD_FILE}: this is no folder of a classifier")
    kind = read_card(classifier).kind if classifier.is_dir() else "fasttext"
    params = _params(kind, param).model_copy(update={"model": classifier})
    how = Reading(text, group, form, _values("--format-param", format_param))
    check_params([*positive, *negative], how)
    good, bad = _sides(positive, negative, positive_if, negative_if, how)
    try:
        found = evaluate_classifier(kind, params, good, bad, seed)  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(str(error)) from None
    print(found.model_dump_json(indent=2) if as_json else evaluation_text(found))


def _sides(
    positive: list[str], negative: list[str], positive_if: str | None, negative_if: str | None, how: Any
) -> tuple[Documents, Documents]:
    from pipeline.labelled_files import read_documents

    return read_documents(positive, how, positive_if), read_documents(negative, how, negative_if)


def _values(option: str, given: list[str] | None) -> dict[str, Any]:
    """Return the values of `name=value` texts, each read as YAML."""
    import yaml

    values = {}
    for each in given or []:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputError(f"{option} {each}: expected NAME=VALUE")
        try:
            values[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"{option} {each}: the value is not YAML") from None
    return values


def _params(kind: str, given: list[str] | None) -> ScorerParams:
    """Return a classifier's parameters from `name=value` texts. Raises InputError that names what is wrong."""
    from pydantic import ValidationError

    from classifiers.quality import params_of

    try:
        model = params_of(kind)
    except ValueError as error:
        raise InputError(f"--model: {error}") from None
    values = _values("--param", given)
    for name in values:
        if name not in model.model_fields or name == "model":
            raise InputError(
                f"--param: {kind} has no parameter `{name}`{nearest(name, set(model.model_fields) - {'model'})}"
            )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--param {first['loc'][0]}: {first['msg']}, got {first['input']!r}") from None
