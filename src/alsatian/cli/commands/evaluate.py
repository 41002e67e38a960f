"""alsatian evaluate: which model to trust, and how sure that is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration
from alsatian.cli.commands.train import Settings, tell_reading
from alsatian.cli.options.common import Json, Source, Threads
from alsatian.cli.options.source import Reading, with_reading
from alsatian.cli.terminal import Facts, busy, draw, print_json
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model
    from alsatian.split import Split

OFFICIAL = "movielens-folds"  # a split that files beside the data tell

Names = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model, perhaps with settings: implicit-als:factors=32; repeat for more. Else as the values suggest.",
    ),
]
Splits = Annotated[
    list[str],
    typer.Option(
        "--split",
        metavar="NAME[:SIZE]",
        help="What is held out: per-user:10, per-user:10:last, leave-one-out, random:0.2, by-time:0.2, rolling:3:30d, "
        f"folds:5, user-folds:5, strong:0.1, liang2018:10000, {OFFICIAL}; repeat for more.",
    ),
]
At = Annotated[list[int], typer.Option("--at", metavar="N", min=1, help="How long lists are; repeat for more.")]
Measures = Annotated[
    list[str],
    typer.Option("--metric", metavar="NAME", help="A measure, such as rmse, map or ndcg@5; repeat for more."),
]
Likes = Annotated[
    float | None,
    typer.Option(
        "--likes", metavar="VALUE", help="Judge lists by ratings of at least this, and learn lists from them."
    ),
]
Against = Annotated[str, typer.Option("--against", metavar="NAME", help="The model from which differences are tested.")]
Bootstrap = Annotated[
    int, typer.Option("--bootstrap", metavar="N", min=0, help="Draws of users for the intervals; 0: no intervals.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the splits and the draws.")]


@with_reading()
def evaluate(
    source: Source,
    reading: Reading,
    models: Names = [],  # noqa: B006
    split: Splits = ["per-user:10"],  # noqa: B006
    at: At = [10],  # noqa: B006
    metrics: Measures = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    likes: Likes = None,
    against: Against = "popularity",
    bootstrap: Bootstrap = 2000,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare models on values that are held out before any fit.

    \b
    alsatian evaluate ratings.csv --model implicit-als --model item-knn --likes 4
    alsatian evaluate ratings.csv --model biased-mf:factors=32 --split folds:5 --metric rmse
    alsatian evaluate events.csv --model ease --split by-time:0.2 --at 5 --at 20
    """
    from alsatian import evaluation
    from alsatian.evaluation.metric_registry import asked

    begun = time.perf_counter()
    reading.check()
    entered = with_settings(models, settings)
    asked(metrics or None, at)
    check_splits(split, source, reading)
    facts = Facts(stderr=as_json)
    with busy(f"reading {source}"):
        data = reading.load(source)
    tell_reading(facts, source, data)
    entered = entered or with_settings(suggested(facts, data, likes), settings)
    found = evaluation.evaluate(
        entered, splits_of(split, source, data, seed), at=at, metrics=metrics or None, reference=against,
        likes=likes, bootstrap=bootstrap, seed=seed, threads=threads,
    )  # fmt: skip
    if as_json:
        print_json({"source": source, **found.record(), "seconds": time.perf_counter() - begun})
        return
    facts.gap()
    draw(facts.console, found.table())
    facts.gap()
    facts.say("time", f"{duration(time.perf_counter() - begun)} for all of this")


def with_settings(names: list[str], written: list[str]) -> list[Model]:
    """Return models by name; each takes those of the settings that it has, and some model must have each."""
    from alsatian.cli.options.model import pairs
    from alsatian.models.ensemble.model_parameters import made

    models, settings = [made(name) for name in names], pairs(written)
    for key in settings:
        if models and not any(key in model.declared for model in models):
            models[0].param(key)  # which raises, and tells whose it is
    own = [
        {key: model.param(key).parse(key, value) for key, value in settings.items() if key in model.declared}
        for model in models
    ]
    return [type(model)(**model.params | changed) for model, changed in zip(models, own, strict=True)]


def suggested(facts: Facts, data: Interactions, likes: float | None) -> list[str]:
    """Return the models that suit the values, and say why."""
    from alsatian.inspection import value_type

    names, why = value_type.suggested(data)
    facts.say("models", f"{' and '.join(names)}, {why} (--model chooses others)")
    if value_type.EXPLICIT in names and likes is None:
        facts.say(
            "note", f"low ratings count as liked in lists, too; --likes {value_type.like_from(data):g} leaves them out"
        )
    return names


def check_splits(written: list[str], source: str, reading: Reading) -> None:
    """Refuse what is no split, before any work."""
    from alsatian.split.spec import parse

    for one in written:
        _official(one, source, reading) or parse(one)


def _official(written: str, source: str, reading: Reading) -> bool:
    """Tell whether a split is that of files beside the data, which are read as they are."""
    from pathlib import Path

    if written != OFFICIAL:
        return False
    if not Path(source).is_dir():
        raise ParameterError(f"--split {OFFICIAL} takes the folder of MovieLens 100K, not {source}; name that folder.")
    reading.refuse(f"--split {OFFICIAL} reads the files of its folder")
    return True


def splits_of(written: list[str], source: str, data: Interactions, seed: int) -> list[Split]:
    from alsatian.split.published_splits import movielens_folds
    from alsatian.split.spec import named

    distinct = dict.fromkeys(written)
    several: list[Any] = [movielens_folds(source) if one == OFFICIAL else named(one, data, seed) for one in distinct]
    return [one for splits in several for one in splits]
