"""Options and arguments of several commands, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _check_length(n: int) -> int:
    from alsatian.recommender.resolve import validate_n

    return validate_n(n, n)


def _check_novelty(novelty: float) -> float:
    from alsatian.recommender.novelty import validate_novelty

    return validate_novelty(novelty)


def _check_threads(threads: int | None) -> int | None:
    """Check a number of threads before any work."""
    from alsatian.kernels import usable_threads

    return None if threads is None else usable_threads(threads)


SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="The data: a file or glob (CSV, TSV, JSON lines, Parquet), a MovieLens folder, a database URL, or the "
        "name of a dataset, such as movielens-small.",
    ),
]
ModelFile = Annotated[Path, typer.Argument(metavar="FILE", help="A model file, saved by `alsatian train`.")]
ItemArgument = Annotated[str, typer.Argument(metavar="ITEM", help="An item, by id or title.")]
Like = Annotated[
    list[str],
    typer.Option(
        "--like",
        metavar="TITLE[=VALUE]",
        help="An item that a new visitor likes, by title or id; repeat for more. VALUE defaults to the highest value.",
    ),
]
Length = Annotated[
    int, typer.Option("-n", callback=_check_length, metavar="N", help="Length of each list, at least 1.")
]
ReasonCount = Annotated[
    int, typer.Option("-n", callback=_check_length, metavar="N", help="Number of items to show, at least 1.")
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help='List only items that match, such as "year >= 1990".'),
]
Novelty = Annotated[
    float,
    typer.Option(
        "--novelty",
        callback=_check_novelty,
        metavar="0..1",
        help="Weight of rarity in the ranking: 0 ranks by score only, 1 by rarity only.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", callback=_check_threads, metavar="N", help="Number of threads. Default: all processors."),
]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON on standard output.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of all random choices.")]
