"""alsatian train: fit a model and save it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import (
    binarize_data,
    fit_summary,
    model_choice_notes,
    print_read_summary,
    unused_attributes_note,
)
from alsatian.cli.options.common import Json, SourceArgument, Threads
from alsatian.cli.options.curves import CurveOptions, CurvesFile, ValidationShare, curve_rows
from alsatian.cli.options.model import MinRating, ModelName, ModelSettings, check_amounts, choose_model
from alsatian.cli.options.output import check_output
from alsatian.cli.options.source import SourceOptions, apply_min_rating, with_source_options
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import pluralize

if TYPE_CHECKING:
    from alsatian.cli.options.model import ModelChoice
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model


TrainOutput = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The model file to write.")]
BlendMembers = Annotated[
    str | None,
    typer.Option(
        "--members",
        metavar="NAME,NAME",
        help="The models of a blend, with settings after a colon: implicit-als:factors=32,popularity.",
    ),
]
BlendWeights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="W,W",
        help="Weights of the members of a blend, such as 2,1. Default: fit, which chooses them on held-out values.",
    ),
]


@with_source_options()
def train(
    source: SourceArgument,
    output: TrainOutput,
    reading: SourceOptions,
    model: ModelName = None,
    settings: ModelSettings = [],  # noqa: B006
    members: BlendMembers = None,
    weights: BlendWeights = None,
    min_rating: MinRating = None,
    curves: CurvesFile = None,
    validation_share: ValidationShare = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Fit a model to ratings or events and save it in one file.

    \b
    alsatian train ratings.csv --items movies.csv -o movies.model
    alsatian train ratings.csv -o movies.model --model implicit-als --min-rating 4 --set factors=64
    alsatian train ratings.csv -o movies.model --model blend --members implicit-als,popularity
    alsatian train ratings.csv -o movies.model --curves curves.png --validation-share 0.1
    alsatian train ratings.csv -o m.model --items movies.csv --include-unrated \\
      --set item_attributes=genres
    alsatian train orders.parquet -o shop.model --bad-rows skip --where "quantity > 0"
    """
    from alsatian.persistence import save_load

    start = time.perf_counter()
    blend_settings = [
        f"{name}={value}" for name, value in (("members", members), ("weights", weights)) if value is not None
    ]
    reading.check()
    reading, min_rating = apply_min_rating(reading, min_rating)
    choice = choose_model(model or ("blend" if blend_settings else None), [*settings, *blend_settings], min_rating)
    check_output(output, source, reading.items, reading.users)
    curve_options = CurveOptions(curves, validation_share)
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
    if min_rating is not None and data.recipe.min_rating is None:
        data = binarize_data(summary, data, min_rating)
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
            | {"curves": curve_rows(fitted_curves)}
        )
    else:
        summary.line("next", _recommend_command(output, data), no_wrap=True)


def _limit_default_factors(model: Model, choice: ModelChoice, data: Interactions, notes: list[str]) -> Model:
    """Lower the default number of factors for tiny data; an explicit number that is too high is an error later."""
    limit, side = min((len(ids), ids.side) for ids in (data.user_ids, data.item_ids))
    default_factors = model.params.get("factors") or 0
    if "factors" in choice.settings or default_factors <= limit:
        return model
    notes.append(f"factors={limit} instead of {default_factors}: the data has only {pluralize(limit, side)}")
    return type(model)(**model.params | {"factors": limit})


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
