"""The options of an evaluation, which `evaluate` and `report` share: models, splits, metrics, baseline."""

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
        help="A model, with settings if needed: implicit-als:factors=32; repeat for more. "
        "Default: models that suit the values.",
    ),
]
SplitNames = Annotated[
    list[str],
    typer.Option(
        "--split",
        metavar="NAME[:SIZE]",
        help="How values are held out: per-user:10, per-user:10:last, leave-one-out, random:0.2, by-time:0.2, "
        "rolling:3:30d, k-fold:5, new-user-folds:5, new-users:0.1, liang2018:10000, "
        f"{MOVIELENS_FOLDS}; repeat for more.",
    ),
]
ListLengths = Annotated[
    list[int], typer.Option("--at", metavar="N", min=1, help="Length of the lists; repeat for more.")
]
MetricNames = Annotated[
    list[str],
    typer.Option("--metric", metavar="NAME", help="A metric, such as rmse, map or ndcg@5; repeat for more."),
]
EvaluateMinRating = Annotated[
    float | None,
    typer.Option(
        "--min-rating",
        metavar="VALUE",
        help="Ratings of at least this are likes; lists are learned from likes and evaluated on them.",
    ),
]
BaselineOption = Annotated[
    str,
    typer.Option(
        "--baseline", metavar="NAME", help="The model that the others are compared with, by significance tests."
    ),
]
BootstrapDraws = Annotated[
    int,
    typer.Option(
        "--bootstrap", metavar="N", min=0, help="Bootstrap samples of users for confidence intervals; 0: none."
    ),
]


def check_splits(names: list[str], source: str, reading: SourceOptions) -> None:
    """Raise ParameterError for an invalid split, before any work."""
    from alsatian.split.spec import parse_spec

    for name in names:
        _is_movielens_folds(name, source, reading) or parse_spec(name)


def _is_movielens_folds(name: str, source: str, reading: SourceOptions) -> bool:
    """Return whether this is the split of the files of MovieLens 100K; raises ParameterError for other sources."""
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
    """Return the splits of the data by their names; raises ParameterError, DataError."""
    from alsatian.split.published_splits import split_movielens_folds
    from alsatian.split.spec import from_spec

    unique_names = dict.fromkeys(names)
    split_groups: list[Any] = [
        split_movielens_folds(source) if name == MOVIELENS_FOLDS else from_spec(name, data, seed)
        for name in unique_names
    ]
    return [name for splits in split_groups for name in splits]
