"""alsatian tune: better settings for a model, and the model that has them."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration, size
from alsatian.cli.commands.evaluate import Seed
from alsatian.cli.commands.train import Likes, Name, Settings, advice, keep_likes, tell_reading, with_likes
from alsatian.cli.options.common import Json, Source, Threads
from alsatian.cli.options.output import check_output
from alsatian.cli.options.source import Reading, with_reading
from alsatian.cli.terminal import Facts, busy, draw, print_json
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.cli.options.model import Plan
    from alsatian.data.interactions import Interactions
    from alsatian.evaluation import Evaluation
    from alsatian.models import Model
    from alsatian.split import Split
    from alsatian.tuning import Study

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Fit the best model on all of the data, and save it here."),
]
Searched = Annotated[
    list[str],
    typer.Option(
        "--search",
        metavar="NAME[=WHERE]",
        help="A setting to search: reg=0.01..1, reg=0.01..1:log, factors=16,32, or its name alone; repeat for more. "
        "Else all that the model says where to search.",
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        "--trials", metavar="N", help="How many settings to try, those of --study included; 50, or a whole grid."
    ),
]
Sampler = Annotated[
    str, typer.Option("--sampler", metavar="NAME", help="How to choose what to try: tpe, random, grid.")
]
Metric = Annotated[
    str | None, typer.Option("--metric", metavar="NAME", help="What to choose by: rmse, ndcg@10, map ...")
]
Parted = Annotated[
    str,
    typer.Option(
        "--split", metavar="NAME[:SIZE]", help="What trials are judged on: per-user:10, random:0.2, folds:3 ..."
    ),
]
Test = Annotated[
    str | None,
    typer.Option(
        "--test", metavar="NAME[:SIZE]", help="Hold this out of the whole search, and judge the best model on it once."
    ),
]
Patience = Annotated[
    int, typer.Option("--patience", metavar="N", help="Epochs without a better figure that end a fit.")
]
Prune = Annotated[
    bool, typer.Option("--prune/--no-prune", help="End fits that are worse than most by then; never in a grid.")
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Begin no trial after so many seconds.")
]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", metavar="FILE", help="Keep the trials here; the same command goes on from it."),
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", help="How many trials to run at a time, sharing data and processors.")
]


@with_reading()
def tune(
    source: Source,
    reading: Reading,
    model: Name = None,
    output: Output = None,
    trials: Trials = None,
    search: Searched = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    sampler: Sampler = "tpe",
    metric: Metric = None,
    split: Parted = "per-user:10",
    test: Test = None,
    likes: Likes = None,
    study: StudyFile = None,
    patience: Patience = 5,
    prune: Prune = True,
    timeout: Timeout = None,
    workers: Workers = 1,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Search better settings of a model on values that are held out.

    Ctrl-C ends the search and shows the best so far; nothing is saved then but the trials, in --study.

    \b
    alsatian tune ratings.csv --model implicit-als --likes 4 -o my.model
    alsatian tune ratings.csv --model explicit-als --test random:0.2 --study ratings.study
    alsatian tune ratings.csv --model explicit-als --sampler grid --split random:0.2 \\
      --search epochs=5,10,20 --search reg=0.1,0.4,1.6 --search factors=8,16,32
    """
    from alsatian import tuning
    from alsatian.cli.options.model import plan
    from alsatian.split import spec
    from alsatian.tuning import search_space
    from alsatian.tuning.optuna_sampler import library

    begun = time.perf_counter()
    library()
    reading.check()
    reading, likes = with_likes(reading, likes)
    planned = plan(model, settings, likes)
    for written in filter(None, (split, test)):
        spec.parse(written)
    for each in planned.models.values() if model else ():
        search_space.asked(each, search_space.read(type(each), search))
    if output is not None:
        check_output(output, source, reading.items)
    facts = Facts(stderr=as_json)
    data, chosen = _read(facts, source, reading, planned, likes)
    held = None if test is None else _test_part(test, data, seed)
    where = search_space.read(type(chosen), search)
    found = tuning.tune(
        chosen, data if held is None else held.train, trials=trials, space=where or None, sampler=sampler,  # type: ignore[arg-type]
        metric=metric, split=split, patience=patience, prune=prune, timeout=timeout, study=study, seed=seed,
        workers=workers, threads=threads,
    )  # fmt: skip
    if not as_json:
        _show(facts, found)
    if found.interrupted:
        _stopped(facts, found, source, study, as_json=as_json)
    judged = None if held is None else _judged(found, held, threads)
    if judged is not None and not as_json:
        facts.gap()
        draw(facts.console, judged.table())
        facts.gap()
    saved = _saved(facts, found, data, output, threads)
    if as_json:
        more = {"test": judged and judged.record(), "seconds": time.perf_counter() - begun}
        print_json({"source": source, **found.record(), **saved, **more})
        return
    facts.say("time", f"{duration(time.perf_counter() - begun)} in all")
    facts.say("next", _next_step(found, source, output), whole=True)


def _read(
    facts: Facts, source: str, reading: Reading, planned: Plan, likes: float | None
) -> tuple[Interactions, Model]:
    """Read the source, choose the model, and say both."""
    from alsatian.cli.options.model import check_amounts

    with busy(f"reading {source}"):
        data = reading.load(source)
    tell_reading(facts, source, data)
    chosen, why = planned.choose(data)
    facts.say("model", f"{chosen.name}, {why} (--model chooses another)" if why else chosen.name)
    for note in advice(planned, chosen, data):
        facts.say("note", note)
    if likes is not None and data.recipe.at_least is None:
        data = keep_likes(facts, data, likes)
    check_amounts(chosen, data, source)
    return data, chosen


def _test_part(written: str, data: Interactions, seed: int) -> Split:
    from alsatian.split.spec import named

    splits = named(written, data, seed)
    if len(splits) > 1:
        raise ParameterError(
            f"--test {written} makes {len(splits)} parts, and one is tested on; pass such as random:0.2."
        )
    return splits[0]


def _judged(found: Study, held: Split, threads: int | None) -> Evaluation:
    """Judge the best model, and the one that the search began with, on what no trial has seen."""
    from alsatian.evaluation import evaluate

    base = _as_it_was(found)
    models = [found.model] if found.model.params == base.params else [found.model, base]
    name = found.metric.partition("@")[0]
    usual = ["rmse", "ndcg"] if found.base.predicts else ["ndcg", "recall"]
    return evaluate(models, held, metrics=list(dict.fromkeys([name, *usual])), threads=threads)


def _as_it_was(found: Study) -> Model:
    """Return the model that the search began with, with as many factors as the data allows."""
    most = min(len(found.data.user_ids), len(found.data.item_ids))
    few = {"factors": most} if (found.base.params.get("factors") or 0) > most else {}
    return type(found.base)(**found.base.params | few)


def _saved(facts: Facts, found: Study, data: Interactions, output: Path | None, threads: int | None) -> dict[str, Any]:
    """Fit the best model on everything, the test part too, and save it, if a file was named."""
    from alsatian.persistence import save_load

    if output is None:
        return {"file": None, "bytes": None}
    fitted = found.model.fit(data, threads=threads)
    with busy(f"saving {output}"):
        save_load.save(fitted, output)
    facts.say("saved", f"{output}, {size(output.stat().st_size)}, fitted on all {len(data):,} values")
    return {"file": str(output), "bytes": output.stat().st_size}


def _show(facts: Facts, found: Study) -> None:
    from alsatian.tuning.study import said_of

    facts.gap()
    draw(facts.console, found.table())
    facts.gap()
    facts.say("best", f"{found.metric} {found.best.value:.4f}: {said_of(found.best) or 'as it was'}")


def _stopped(facts: Facts, found: Study, source: str, study: Path | None, *, as_json: bool) -> None:
    """Say how to go on after Ctrl-C, and end as it asks to."""
    if as_json:
        print_json({"source": source, **found.record()})
    if study is not None:
        facts.say("next", f"the same command goes on from trial {len(found.rows)} of {study}")
    else:
        facts.say("next", _next_step(found, source, None), whole=True)
    raise KeyboardInterrupt


def _next_step(found: Study, source: str, output: Path | None) -> str:
    if output is not None:
        return f"alsatian recommend {shlex.quote(str(output))} --user ID"
    given = " ".join(f"--set {name}={value}" for name, value in found.model.changed.items())
    likes = found.data.recipe.at_least
    more = "" if likes is None else f" --likes {likes:g}"
    return f"alsatian train {shlex.quote(source)} -o my.model --model {found.base.name}{more} {given}".rstrip()
