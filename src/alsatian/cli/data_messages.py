"""Messages of several commands about the data, the choice of a model, and the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alsatian._util.formatting import format_duration, format_number
from alsatian.errors import pluralize

if TYPE_CHECKING:
    from alsatian.cli.options.model import ModelChoice
    from alsatian.cli.terminal import Summary
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model
    from alsatian.models.factors.ann_index import IndexBenchmark


def print_read_summary(summary: Summary, source: str, data: Interactions) -> None:
    """Print the counts of the rows, users, items and values, the dropped rows, and notes."""
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
    """Return notes on whether this model suits recommendation lists from this data."""
    from alsatian.inspection.value_type import IMPLICIT, describe_huge_amounts, looks_explicit, suggested_threshold

    if choice.min_rating is not None:
        return []
    if not looks_explicit(data)[0]:
        amounts_note = describe_huge_amounts(data) if model.params.get("use_values") else None
        return [amounts_note] if amounts_note else []
    option, parts = f"--min-rating {suggested_threshold(data):g}", getattr(model, "members", [model])
    rating_models = [part.name for part in parts if part.predicts_ratings and not getattr(part, "unobserved_weight", 0)]
    if rating_models:
        subject = "this model predicts" if model.predicts_ratings else f"its member {rating_models[0]} predicts"
        return [
            f"{subject} ratings. Recommendation lists ranked by predicted rating are far worse than those of an "
            f"implicit model; for lists add --model {IMPLICIT} {option}"
        ]
    if IMPLICIT in (part.name for part in parts):
        return [f"low ratings also count as likes, with less weight; {option} drops them"]
    return []


def unused_attributes_note(model: Model, data: Interactions) -> list[str]:
    """Return notes on item_attributes and user_attributes that have no effect, because no row is cold."""
    sides, models = (("item", data.item_counts), ("user", data.by_user.counts)), getattr(model, "members", [model])
    return [
        f"every {side} has values, so {side}_attributes has no effect; --include-unrated adds the {side}s of "
        f"--{side}s without values"
        for side, counts in sides
        if counts.all() and any(part.params.get(f"{side}_attributes") for part in models)
    ]


def binarize_data(summary: Summary, data: Interactions, min_rating: float) -> Interactions:
    """Return the values of at least min_rating as likes; print their number."""
    liked_data = data.binarize(min_rating)
    empty_users = int((liked_data.by_user.counts == 0).sum())
    note = f"; {pluralize(empty_users, 'user')} left without any" if empty_users else ""
    summary.line("likes", f"{len(liked_data):,} values of {min_rating:g} and more{note}")
    return liked_data


def fit_summary(model: Model) -> str:
    """Return epochs, time, threads and objective of a fit in one line."""
    seconds, threads = model.training["seconds"], pluralize(model.training["threads"], "thread")
    if not model.history:
        return format_duration(seconds) + (f"; {model.fit_note}" if model.fit_note else "")
    last_epoch = model.history[-1]
    epochs, objective = pluralize(last_epoch.epoch, "epoch"), format_number(last_epoch.objective)
    return f"{epochs} in {format_duration(seconds)} on {threads}; objective {objective}"


def choose_default_models(summary: Summary, data: Interactions, min_rating: float | None) -> list[str]:
    """Return the names of the models that suit the values; print the reason."""
    from alsatian.inspection import value_type

    names, reason = value_type.suggest_models(data)
    summary.line("models", f"{' and '.join(names)}, {reason} (--model chooses others)")
    if value_type.EXPLICIT in names and min_rating is None:
        option = f"--min-rating {value_type.suggested_threshold(data):g}"
        summary.line("note", f"low ratings also count as likes in lists; {option} drops them")
    return names


def describe_index(benchmark: IndexBenchmark) -> str:
    """Return the time and recall of an index, compared with exact search, in one line."""
    return (
        f"similar items in {benchmark.milliseconds:.2g} ms instead of {benchmark.exact:.2g} ms, "
        f"recall {100 * benchmark.recall:.1f} %"
    )
