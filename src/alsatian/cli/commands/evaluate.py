"""alsatian evaluate: which model to trust, and how sure that is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_duration
from alsatian.cli.commands.train import ModelSettings, print_read_summary
from alsatian.cli.options.common import Json, SourceArgument, Threads
from alsatian.cli.options.source import SourceOptions, with_source_options
from alsatian.cli.terminal import Summary, print_json, print_table, show_status
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model
    from alsatian.split import Split

MOVIELENS_FOLDS = "movielens-folds"  # a split that files beside the data tell

ModelNames = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model, perhaps with settings: implicit-als:factors=32; repeat for more. Else as the values suggest.",
    ),
]
SplitNames = Annotated[
    list[str],
    typer.Option(
        "--split",
        metavar="NAME[:SIZE]",
        help="What is held out: per-user:10, per-user:10:last, leave-one-out, random:0.2, by-time:0.2, rolling:3:30d, "
        f"k-fold:5, new-user-folds:5, new-users:0.1, liang2018:10000, {MOVIELENS_FOLDS}; repeat for more.",
    ),
]
ListLengths = Annotated[
    list[int], typer.Option("--at", metavar="N", min=1, help="How long lists are; repeat for more.")
]
MetricNames = Annotated[
    list[str],
    typer.Option("--metric", metavar="NAME", help="A measure, such as rmse, map or ndcg@5; repeat for more."),
]
EvaluateMinRating = Annotated[
    float | None,
    typer.Option(
        "--min-rating", metavar="VALUE", help="Judge lists by ratings of at least this, and learn lists from them."
    ),
]
BaselineOption = Annotated[
    str, typer.Option("--baseline", metavar="NAME", help="The model from which differences are tested.")
]
BootstrapDraws = Annotated[
    int, typer.Option("--bootstrap", metavar="N", min=0, help="Draws of users for the intervals; 0: no intervals.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the splits and the draws.")]


@with_source_options()
def evaluate_models(
    source: SourceArgument,
    reading: SourceOptions,
    models: ModelNames = [],  # noqa: B006
    split: SplitNames = ["per-user:10"],  # noqa: B006
    at: ListLengths = [10],  # noqa: B006
    metrics: MetricNames = [],  # noqa: B006
    settings: ModelSettings = [],  # noqa: B006
    likes: EvaluateMinRating = None,
    against: BaselineOption = "popularity",
    bootstrap: BootstrapDraws = 2000,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare models on values that are held out before any fit.

    \b
    alsatian evaluate ratings.csv --model implicit-als --model item-knn --min-rating 4
    alsatian evaluate ratings.csv --model biased-mf:factors=32 --split k-fold:5 --metric rmse
    alsatian evaluate events.csv --model ease --split by-time:0.2 --at 5 --at 20
    """
    from alsatian import evaluation
    from alsatian.evaluation.metric_registry import parse_metrics

    start = time.perf_counter()
    reading.check()
    candidates = models_from_names(models, settings)
    parse_metrics(metrics or None, at)
    check_splits(split, source, reading)
    summary = Summary(stderr=as_json)
    with show_status(f"reading {source}"):
        data = reading.load(source)
    print_read_summary(summary, source, data)
    candidates = candidates or models_from_names(choose_default_models(summary, data, likes), settings)
    results = evaluation.evaluate(
        candidates, make_splits(split, source, data, seed), at=at, metrics=metrics or None, baseline=against,
        min_rating=likes, bootstrap=bootstrap, seed=seed, threads=threads,
    )  # fmt: skip
    if as_json:
        print_json({"source": source, **results.record(), "seconds": time.perf_counter() - start})
        return
    summary.blank_line()
    print_table(summary.console, results.table())
    summary.blank_line()
    summary.line("time", f"{format_duration(time.perf_counter() - start)} for all of this")


def models_from_names(names: list[str], assignments: list[str]) -> list[Model]:
    """Return models by name; each takes those of the settings that it has, and some model must have each."""
    from alsatian.cli.options.model import parse_settings
    from alsatian.models.ensemble.model_parameters import as_model

    models, settings = [as_model(name) for name in names], parse_settings(assignments)
    for key in settings:
        if models and not any(key in model.hyperparameters for model in models):
            models[0].param(key)  # which raises, and tells whose it is
    changes = [
        {key: model.param(key).parse(key, value) for key, value in settings.items() if key in model.hyperparameters}
        for model in models
    ]
    return [type(model)(**model.params | change) for model, change in zip(models, changes, strict=True)]


def choose_default_models(summary: Summary, data: Interactions, min_rating: float | None) -> list[str]:
    """Return the models that suit the values, and say why."""
    from alsatian.inspection import value_type

    names, reason = value_type.suggest_models(data)
    summary.line("models", f"{' and '.join(names)}, {reason} (--model chooses others)")
    if value_type.EXPLICIT in names and min_rating is None:
        summary.line(
            "note",
            f"low ratings count as liked in lists, too; --min-rating {value_type.suggested_threshold(data):g} leaves them out",
        )
    return names


def check_splits(names: list[str], source: str, reading: SourceOptions) -> None:
    """Refuse what is no split, before any work."""
    from alsatian.split.spec import parse_spec

    for name in names:
        _is_movielens_folds(name, source, reading) or parse_spec(name)


def _is_movielens_folds(name: str, source: str, reading: SourceOptions) -> bool:
    """Tell whether a split is that of files beside the data, which are read as they are."""
    from pathlib import Path

    if name != MOVIELENS_FOLDS:
        return False
    if not Path(source).is_dir():
        raise ParameterError(
            f"--split {MOVIELENS_FOLDS} takes the folder of MovieLens 100K, not {source}; name that folder."
        )
    reading.reject_options(f"--split {MOVIELENS_FOLDS} reads the files of its folder")
    return True


def make_splits(names: list[str], source: str, data: Interactions, seed: int) -> list[Split]:
    from alsatian.split.published_splits import split_movielens_folds
    from alsatian.split.spec import from_spec

    unique_names = dict.fromkeys(names)
    split_groups: list[Any] = [
        split_movielens_folds(source) if name == MOVIELENS_FOLDS else from_spec(name, data, seed)
        for name in unique_names
    ]
    return [name for splits in split_groups for name in splits]
