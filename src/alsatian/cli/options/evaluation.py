"""The options of an evaluation, shared by `evaluate` and `report`: models, splits, metrics, baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.cli.options.source import SourceOptions
    from alsatian.data.interactions import Interactions
    from alsatian.split import Split

MOVIELENS_FOLDS = "movielens-folds"  # the split that the files of MovieLens 100K define
ModelNames = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model to compare, with settings if needed, such as ease or implicit-als:factors=32; repeat for more. "
        "Default: models that suit the values.",
    ),
]
SplitNames = Annotated[
    list[str],
    typer.Option(
        "--split",
        metavar="NAME[:SIZE]",
        help="How to hold out test values: per-user:10, per-user:10:last, leave-one-out, random:0.2, by-time:0.2, "
        "rolling:3:30d, k-fold:5, new-user-folds:5, new-users:0.1, liang2018:10000, "
        f"{MOVIELENS_FOLDS}; repeat for more.",
    ),
]
ListLengths = Annotated[
    list[int], typer.Option("--at", metavar="N", min=1, help="Length of the evaluated lists; repeat for more.")
]
MetricNames = Annotated[
    list[str],
    typer.Option(
        "--metric",
        metavar="NAME",
        help="A metric, such as rmse, map or ndcg@5; repeat for more. "
        "Default: rmse, mae, ndcg, recall, coverage and novelty.",
    ),
]
EvaluateMinRating = Annotated[
    float | None,
    typer.Option(
        "--min-rating",
        metavar="VALUE",
        help="Ratings of at least this value are likes. Lists are trained and evaluated on the likes only.",
    ),
]
BaselineOption = Annotated[
    str,
    typer.Option("--baseline", metavar="NAME", help="The model that significance tests compare the others with."),
]
BootstrapDraws = Annotated[
    int,
    typer.Option(
        "--bootstrap", metavar="N", min=0, help="Number of bootstrap samples for confidence intervals; 0 for none."
    ),
]


def check_splits(names: list[str], source: str, reading: SourceOptions) -> None:
    """Raise ParameterError for an invalid split, before any work."""
    from alsatian.split.spec import parse_spec

    for name in names:
        _is_movielens_folds(name, source, reading) or parse_spec(name)


def _is_movielens_folds(name: str, source: str, reading: SourceOptions) -> bool:
    """Return whether this is the split in the files of MovieLens 100K; raises ParameterError for other sources."""
    from pathlib import Path

    if name != MOVIELENS_FOLDS:
        return False
    if not Path(source).is_dir():
        raise ParameterError(f"--split {MOVIELENS_FOLDS} needs the folder of MovieLens 100K as SOURCE, not {source}.")
    reading.reject_options(f"--split {MOVIELENS_FOLDS} reads the files of its folder")
    return True


def make_splits(names: list[str], source: str, data: Interactions, seed: int) -> list[Split]:
    """Return the splits of the data by their names; raises ParameterError, DataError."""
    from alsatian.split.published_splits import split_movielens_folds
    from alsatian.split.spec import from_spec

    unique_names = dict.fromkeys(names)
    split_groups: list[Any] = [
        split_movielens_folds(source) if name == MOVIELENS_FOLDS else from_spec(name, data, seed)
        for name in unique_names
    ]
    return [split for splits in split_groups for split in splits]
