"""alsatian train: from a file to a model."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration, format_number
from alsatian.cli.options import curves as curves_module
from alsatian.cli.options.common import Json, SourceArgument, Threads
from alsatian.cli.options.curves import CurveOptions, CurvesFile, ValidationShare
from alsatian.cli.options.output import check_output
from alsatian.cli.options.recipe import resolve_min_rating
from alsatian.cli.options.source import SourceOptions, with_source_options
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import pluralize

if TYPE_CHECKING:
    from alsatian.cli.options.model import ModelChoice
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model


TrainOutput = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to save the model.")]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="NAME", help="Such as implicit-als (the guide lists them all); else as the values suggest."
    ),
]
ModelSettings = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the model, such as factors=64; repeat for more."),
]
BlendMembers = Annotated[
    str | None,
    typer.Option(
        "--members",
        metavar="NAME,NAME",
        help="The models of a blend, each with settings after colons: implicit-als:factors=32,popularity.",
    ),
]
BlendWeights = Annotated[
    str | None,
    typer.Option("--weights", metavar="W,W", help="The weights of a blend's parts, or fit: found on held-out values."),
]
TrainMinRating = Annotated[
    float | None,
    typer.Option(
        "--min-rating", metavar="VALUE", help="Take ratings of at least this as likes, and leave out the others."
    ),
]


@with_source_options()
def train(
    source: SourceArgument,
    output: TrainOutput,
    reading: SourceOptions,
    model: ModelName = None,
    settings: ModelSettings = [],  # noqa: B006
    parts: BlendMembers = None,
    weights: BlendWeights = None,
    likes: TrainMinRating = None,
    curves: CurvesFile = None,
    validation: ValidationShare = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Learn a model from ratings or events and save it in one file.

    \b
    alsatian train ratings.csv --items movies.csv -o movies.model
    alsatian train ratings.csv -o movies.model --model implicit-als --min-rating 4 --set factors=64
    alsatian train ratings.csv -o movies.model --model blend --members implicit-als,popularity
    alsatian train ratings.csv -o movies.model --curves curves.png --validation 0.1
    alsatian train ratings.csv -o m.model --items movies.csv --include-unrated --set item_attributes=genres
    alsatian train orders.parquet -o shop.model --bad-rows skip --where "quantity > 0"
    """
    from alsatian.cli.options.model import check_amounts, choose_model
    from alsatian.persistence import save_load

    start = time.perf_counter()
    blend_settings = [
        f"{name}={value}" for name, value in (("parts", parts), ("weights", weights)) if value is not None
    ]
    reading.check()
    reading, likes = apply_min_rating(reading, likes)
    choice = choose_model(model or ("blend" if blend_settings else None), [*settings, *blend_settings], likes)
    check_output(output, source, reading.items, reading.users)
    curve_options = CurveOptions(curves, validation)
    curve_options.check(source, reading.items, output)
    for candidate in choice.models.values():
        curve_options.check_model(candidate)
    summary = Summary(stderr=as_json)
    with show_status(f"reading {source}"):
        data = reading.load(source)
    print_read_summary(summary, source, data)
    selected_model, reason = choice.choose(data)
    notes = model_choice_notes(choice, selected_model, data) + unused_attributes_note(selected_model, data)
    selected_model = _limit_default_factors(selected_model, choice, data, notes)
    if likes is not None and data.recipe.min_rating is None:
        data = binarize_data(summary, data, likes)
    check_amounts(selected_model, data, source)
    summary.line(
        "model", f"{selected_model.name}, {reason} (--model chooses another)" if reason else selected_model.name
    )
    for note in notes:
        summary.line("note", note)
    fitted_curves = curve_options.fit(summary, selected_model, data, threads)
    summary.line("fitted", fit_summary(selected_model))
    with show_status(f"saving {output}"):
        save_load.save(selected_model, output)
    seconds = time.perf_counter() - start
    summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}; {format_duration(seconds)} in all")
    if as_json:
        print_json(
            _train_record(source, output, selected_model, reason, notes, seconds)
            | {"curves": curves_module.curve_rows(fitted_curves)}
        )
    else:
        summary.line("next", _recommend_command(output, data), no_wrap=True)


def print_read_summary(summary: Summary, source: str, data: Interactions) -> None:
    """Say what was read, what was left out and what is worth knowing."""
    from alsatian.ingest.rows.rejects import format_counts

    report, low, high = data.report, float(data.values.min()), float(data.values.max())
    values = f", all {format_number(low)}" if low == high else f" from {format_number(low)} to {format_number(high)}"
    summary.line(
        "read",
        f"{source}: {pluralize(report.read, 'row')}; {pluralize(len(data.user_ids), 'user')}, "
        f"{pluralize(len(data.item_ids), 'item')}, {pluralize(len(data), 'value')}{values}",
    )
    if report.skipped:
        summary.line("left out", f"{pluralize(sum(report.skipped.values()), 'row')} ({format_counts(report.skipped)})")
    for note in report.notes:
        summary.line("note", note)


def model_choice_notes(choice: ModelChoice, model: Model, data: Interactions) -> list[str]:
    """Say what somebody who wants good lists should know about this choice of a model."""
    from alsatian.inspection.value_type import IMPLICIT, describe_huge_amounts, looks_explicit, suggested_threshold

    if choice.min_rating is not None:
        return []
    if not looks_explicit(data)[0]:
        amounts_note = describe_huge_amounts(data) if model.params.get("use_values") else None
        return [amounts_note] if amounts_note else []
    option, parts = f"--min-rating {suggested_threshold(data):g}", getattr(model, "members", [model])
    rating_models = [part.name for part in parts if part.predicts and not getattr(part, "unobserved_weight", 0)]
    if rating_models:
        subject = "this model predicts" if model.predicts_ratings else f"its part {rating_models[0]} predicts"
        return [
            f"{subject} ratings, but lists ranked by predicted rating are far worse than those of an implicit model on "
            f"likes: for lists add --model {IMPLICIT} {option}"
        ]
    if IMPLICIT in (part.name for part in parts):
        return [f"low ratings count as likes here, too, if weaker ones; {option} leaves them out"]
    return []


def unused_attributes_note(model: Model, data: Interactions) -> list[str]:
    """Say where a model is to place items, or users, by attributes, and there is none to place."""
    sides, models = (("item", data.item_counts), ("user", data.by_user.counts)), getattr(model, "members", [model])
    return [
        f"every {side} has values, so {side}_attributes changes nothing; --include-unrated keeps the others of --{side}s"
        for side, counts in sides
        if counts.all() and any(part.params.get(f"{side}_attributes") for part in models)
    ]


def apply_min_rating(reading: SourceOptions, min_rating: float | None) -> tuple[SourceOptions, float | None]:
    """Return from which value on ratings are likes, as the option or the recipe says, and a reading that heeds it.

    Where a recipe weighs values or asks for least counts, it must know; else likes are taken from what was read.
    """
    rules = reading.resolved_recipe
    effective_min_rating = resolve_min_rating(rules, min_rating)
    if effective_min_rating != rules.min_rating and (rules.makes_confidences or rules.has_core):
        reading = replace(reading, rules=replace(rules, min_rating=effective_min_rating))
    return reading, effective_min_rating


def binarize_data(summary: Summary, data: Interactions, min_rating: float) -> Interactions:
    """Return the values of at least this as likes, and say what is left."""
    liked_data = data.binarize(min_rating)
    empty_users = int((liked_data.by_user.counts == 0).sum())
    note = f"; {pluralize(empty_users, 'user')} left without any" if empty_users else ""
    summary.line("likes", f"{len(liked_data):,} values of {min_rating:g} and more{note}")
    return liked_data


def _limit_default_factors(model: Model, choice: ModelChoice, data: Interactions, notes: list[str]) -> Model:
    """Lower the usual number of factors where the data is tiny; one that was asked for is left to be refused."""
    limit, side = min((len(ids), ids.side) for ids in (data.user_ids, data.item_ids))
    default_factors = model.params.get("factors") or 0
    if "factors" in choice.settings or default_factors <= limit:
        return model
    notes.append(f"factors={limit} instead of {default_factors}: the data has only {pluralize(limit, side)}")
    return type(model)(**model.params | {"factors": limit})


def fit_summary(model: Model) -> str:
    """Say in a few words how a fit went."""
    seconds, threads = model.training["seconds"], pluralize(model.training["threads"], "thread")
    if not model.history:
        return format_duration(seconds) + (f"; {model.fit_note}" if model.fit_note else "")
    last_epoch = model.history[-1]
    return f"{pluralize(last_epoch.epoch, 'epoch')} in {format_duration(seconds)} on {threads}; objective {format_number(last_epoch.objective)}"


def _recommend_command(output: Path, data: Interactions) -> str:
    import shlex

    user = str(data.user_ids.id_of(int(data.by_user.counts.argmax())))
    return f"alsatian recommend {shlex.quote(str(output))} --user {shlex.quote(user)}"


def _train_record(
    source: str, output: Path, model: Model, reason: str | None, notes: list[str], seconds: float
) -> dict[str, Any]:
    data, last_epoch = model.data, model.history[-1] if model.history else None
    return {
        "source": source,
        "model": model.name,
        "why": reason,
        "params": model.params,
        "users": len(data.user_ids),
        "items": len(data.item_ids),
        "values": len(data),
        "rows": data.report.to_json(),
        "notes": notes,
        "epochs": last_epoch.epoch if last_epoch else 0,
        "objective": last_epoch.objective if last_epoch else None,
        "fit_seconds": model.training["seconds"],
        "seconds": seconds,
        "file": str(output),
        "bytes": output.stat().st_size,
    }
