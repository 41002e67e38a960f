"""alsatian train: from a file to a model."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration, number, size
from alsatian.cli.options import curves as judged
from alsatian.cli.options.common import Json, Source, Threads
from alsatian.cli.options.curves import CurvesFile, Judging, Validation
from alsatian.cli.options.output import check_output
from alsatian.cli.options.recipe import likes_from
from alsatian.cli.options.source import Reading, with_reading
from alsatian.cli.terminal import Facts, busy, print_json
from alsatian.errors import counted

if TYPE_CHECKING:
    from alsatian.cli.options.model import Plan
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model


Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to save the model.")]
Name = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="Such as implicit-als (the guide lists them all); else as the values suggest."
    ),
]
Settings = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the model, such as factors=64; repeat for more."),
]
Parts = Annotated[
    str | None,
    typer.Option(
        "--parts",
        metavar="NAME,NAME",
        help="The models of a blend, each with settings after colons: implicit-als:factors=32,popularity.",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="W,W", help="The weights of a blend's parts, or fit: found on held-out values."),
]
Likes = Annotated[
    float | None,
    typer.Option("--likes", metavar="VALUE", help="Take ratings of at least this as likes, and leave out the others."),
]


@with_reading()
def train(
    source: Source,
    output: Output,
    reading: Reading,
    model: Name = None,
    settings: Settings = [],  # noqa: B006
    parts: Parts = None,
    weights: Weights = None,
    likes: Likes = None,
    curves: CurvesFile = None,
    validation: Validation = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Learn a model from ratings or events and save it in one file.

    \b
    alsatian train ratings.csv --items movies.csv -o movies.model
    alsatian train ratings.csv -o movies.model --model implicit-als --likes 4 --set factors=64
    alsatian train ratings.csv -o movies.model --model blend --parts implicit-als,popularity
    alsatian train ratings.csv -o movies.model --curves curves.png --validation 0.1
    alsatian train ratings.csv -o m.model --items movies.csv --cold --set item_attributes=genres
    alsatian train orders.parquet -o shop.model --bad-rows skip --where "quantity > 0"
    """
    from alsatian.cli.options.model import check_amounts, plan
    from alsatian.persistence import save_load

    begun = time.perf_counter()
    blended = [f"{name}={value}" for name, value in (("parts", parts), ("weights", weights)) if value is not None]
    reading.check()
    reading, likes = with_likes(reading, likes)
    planned = plan(model or ("blend" if blended else None), [*settings, *blended], likes)
    check_output(output, source, reading.items, reading.users)
    judging = Judging(curves, validation)
    judging.check(source, reading.items, output)
    for candidate in planned.models.values():
        judging.check_model(candidate)
    facts = Facts(stderr=as_json)
    with busy(f"reading {source}"):
        data = reading.load(source)
    tell_reading(facts, source, data)
    chosen, why = planned.choose(data)
    notes = advice(planned, chosen, data) + idle_attributes(chosen, data)
    chosen = _small_enough(chosen, planned, data, notes)
    if likes is not None and data.recipe.at_least is None:
        data = keep_likes(facts, data, likes)
    check_amounts(chosen, data, source)
    facts.say("model", f"{chosen.name}, {why} (--model chooses another)" if why else chosen.name)
    for note in notes:
        facts.say("note", note)
    drawn = judging.fit(facts, chosen, data, threads)
    facts.say("fitted", fit_summary(chosen))
    with busy(f"saving {output}"):
        save_load.save(chosen, output)
    seconds = time.perf_counter() - begun
    facts.say("saved", f"{output}, {size(output.stat().st_size)}; {duration(seconds)} in all")
    if as_json:
        print_json(_record(source, output, chosen, why, notes, seconds) | {"curves": judged.rows(drawn)})
    else:
        facts.say("next", _next_step(output, data), whole=True)


def tell_reading(facts: Facts, source: str, data: Interactions) -> None:
    """Say what was read, what was left out and what is worth knowing."""
    from alsatian.ingest.rows.rejects import reasons

    report, low, high = data.report, float(data.values.min()), float(data.values.max())
    values = f", all {number(low)}" if low == high else f" from {number(low)} to {number(high)}"
    facts.say(
        "read",
        f"{source}: {counted(report.read, 'row')}; {counted(len(data.user_ids), 'user')}, "
        f"{counted(len(data.item_ids), 'item')}, {counted(len(data), 'value')}{values}",
    )
    if report.skipped:
        facts.say("left out", f"{counted(sum(report.skipped.values()), 'row')} ({reasons(report.skipped)})")
    for note in report.notes:
        facts.say("note", note)


def advice(planned: Plan, model: Model, data: Interactions) -> list[str]:
    """Say what somebody who wants good lists should know about this choice of a model."""
    from alsatian.inspection.value_type import IMPLICIT, huge_amounts, judge, like_from

    if planned.likes is not None:
        return []
    if not judge(data)[0]:
        huge = huge_amounts(data) if model.params.get("use_values") else None
        return [huge] if huge else []
    instead, parts = f"--likes {like_from(data):g}", getattr(model, "models", [model])
    raters = [part.name for part in parts if part.predicts and not getattr(part, "unobserved_weight", 0)]
    if raters:
        who = "this model predicts" if model.predicts else f"its part {raters[0]} predicts"
        return [
            f"{who} ratings, but lists ranked by predicted rating are far worse than those of an implicit model on "
            f"likes: for lists add --model {IMPLICIT} {instead}"
        ]
    if IMPLICIT in (part.name for part in parts):
        return [f"low ratings count as likes here, too, if weaker ones; {instead} leaves them out"]
    return []


def idle_attributes(model: Model, data: Interactions) -> list[str]:
    """Say where a model is to place items, or users, by attributes, and there is none to place."""
    sides, models = (("item", data.item_counts), ("user", data.by_user.counts)), getattr(model, "models", [model])
    return [
        f"every {side} has values, so {side}_attributes changes nothing; --cold keeps the others of --{side}s"
        for side, counts in sides
        if counts.all() and any(part.params.get(f"{side}_attributes") for part in models)
    ]


def with_likes(reading: Reading, likes: float | None) -> tuple[Reading, float | None]:
    """Return from which value on ratings are likes, as the option or the recipe says, and a reading that heeds it.

    Where a recipe weighs values or asks for least counts, it must know; else likes are taken from what was read.
    """
    rules = reading.made_rules
    bound = likes_from(rules, likes)
    if bound != rules.at_least and (rules.weighs or rules.has_core):
        reading = replace(reading, rules=replace(rules, at_least=bound))
    return reading, bound


def keep_likes(facts: Facts, data: Interactions, likes: float) -> Interactions:
    """Return the values of at least this as likes, and say what is left."""
    kept = data.likes(likes)
    without = int((kept.by_user.counts == 0).sum())
    left = f"; {counted(without, 'user')} left without any" if without else ""
    facts.say("likes", f"{len(kept):,} values of {likes:g} and more{left}")
    return kept


def _small_enough(model: Model, planned: Plan, data: Interactions, notes: list[str]) -> Model:
    """Lower the usual number of factors where the data is tiny; one that was asked for is left to be refused."""
    most, what = min((len(ids), ids.what) for ids in (data.user_ids, data.item_ids))
    usual = model.params.get("factors") or 0
    if "factors" in planned.settings or usual <= most:
        return model
    notes.append(f"factors={most} instead of {usual}: the data has only {counted(most, what)}")
    return type(model)(**model.params | {"factors": most})


def fit_summary(model: Model) -> str:
    """Say in a few words how a fit went."""
    seconds, threads = model.training["seconds"], counted(model.training["threads"], "thread")
    if not model.history:
        return duration(seconds) + (f"; {model.remark}" if model.remark else "")
    end = model.history[-1]
    return f"{counted(end.epoch, 'epoch')} in {duration(seconds)} on {threads}; objective {number(end.objective)}"


def _next_step(output: Path, data: Interactions) -> str:
    import shlex

    user = str(data.user_ids.id_of(int(data.by_user.counts.argmax())))
    return f"alsatian recommend {shlex.quote(str(output))} --user {shlex.quote(user)}"


def _record(
    source: str, output: Path, model: Model, why: str | None, notes: list[str], seconds: float
) -> dict[str, Any]:
    data, end = model.data, model.history[-1] if model.history else None
    return {
        "source": source,
        "model": model.name,
        "why": why,
        "params": model.params,
        "users": len(data.user_ids),
        "items": len(data.item_ids),
        "values": len(data),
        "rows": data.report.to_json(),
        "notes": notes,
        "epochs": end.epoch if end else 0,
        "objective": end.objective if end else None,
        "fit_seconds": model.training["seconds"],
        "seconds": seconds,
        "file": str(output),
        "bytes": output.stat().st_size,
    }
