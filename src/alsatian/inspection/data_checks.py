"""Check data for likely problems, in sentences that say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import pluralize
from alsatian.ingest.rows.rejects import format_counts
from alsatian.ingest.rows.row_filter import is_filtered_out
from alsatian.inspection.value_type import above_zero_condition, describe_huge_amounts, looks_explicit

_NOTABLE_SHARE = 0.2  # a share worth mentioning
_MIN_ROWS = 20  # checks need at least this many rows


def find_problems(data: Interactions) -> list[str]:
    """Return the likely problems of the data, the most serious first."""
    checks = [
        _check_skipped_rows,
        _check_id_columns,
        _check_values,
        _check_repeats,
        _check_heaviest_user,
        _check_single_values,
        _check_times,
    ]
    return [problem for check in checks for problem in check(data)]


def _check_skipped_rows(data: Interactions) -> Iterator[str]:
    rejected = {reason: rows for reason, rows in data.report.skipped.items() if not is_filtered_out(reason)}
    if rejected:
        yield (
            f"{pluralize(sum(rejected.values()), 'row')} of {data.report.read:,} cannot be used "
            f"({format_counts(rejected)}); train fails on them, unless you pass --bad-rows skip"
        )


def _check_id_columns(data: Interactions) -> Iterator[str]:
    columns, rows = data.recipe.columns, len(data)
    for ids, other in ((data.user_ids, data.item_ids), (data.item_ids, data.user_ids)):
        column = f"column {columns[ids.side]!r}" if ids.side in columns else "its column"
        if len(ids) == 1:
            yield f"there is only one {ids.side}, {ids.id_of(0)!r}; {column} may be the wrong column (--{ids.side})"
        elif len(ids) == rows >= _MIN_ROWS and len(other) < rows:
            yield (
                f"no {ids.side} occurs twice, so there is nothing to learn; {column} may contain row numbers "
                f"(--{ids.side} sets another column)"
            )


def _check_values(data: Interactions) -> Iterator[str]:
    low, high = float(data.values.min()), float(data.values.max())
    column = data.recipe.columns.get("value")
    if not column or data.recipe.makes_confidences:
        return
    if low == high:
        yield f"all values are {low:g}, so there are no ratings to predict; implicit-als uses them as likes"
        return
    is_explicit, _ = looks_explicit(data)
    advice = f"--where {above_zero_condition(column)!r} drops them"
    zeros, below = int((data.values == 0).sum()), int((data.values < 0).sum())
    if is_explicit and low == 0 and zeros > _NOTABLE_SHARE * len(data):
        yield f"{zeros / len(data):.0%} of the ratings are 0, which often means not rated; {advice}"
    if not is_explicit and zeros + below:
        yield f"{pluralize(zeros + below, 'value')} are not above 0, which implicit-als does not accept; {advice}"
    if not is_explicit and (huge := describe_huge_amounts(data)):
        yield huge


def _check_repeats(data: Interactions) -> Iterator[str]:
    share = data.report.combined / max(data.report.read, 1)
    if share > _NOTABLE_SHARE:
        rule = data.recipe.duplicates
        yield f"{share:.0%} of the rows repeat a user-item pair; they are merged by --duplicates {rule}"


def _check_heaviest_user(data: Interactions) -> Iterator[str]:
    heaviest = int(data.by_user.counts.argmax())
    share = data.by_user.counts[heaviest] / len(data)
    if len(data.user_ids) >= _MIN_ROWS and share > 0.05:
        user = data.user_ids.id_of(heaviest)
        yield f"user {user!r} has {share:.0%} of the values; check if it is a bot, or stands for all anonymous users"


def _check_single_values(data: Interactions) -> Iterator[str]:
    sides: tuple[tuple[str, NDArray[np.int64]], ...] = (
        ("user", data.by_user.counts),
        ("item", data.item_counts),
    )
    for side, counts in sides:
        single = int((counts == 1).sum())
        if _NOTABLE_SHARE * len(counts) < single < len(data):
            share = f"{single / len(counts):.0%}"
            yield f"{pluralize(single, side)} ({share}) have only one value each, which is too little to learn from"


def _check_times(data: Interactions) -> Iterator[str]:
    if data.times is None:
        return
    future = int((data.times > time.time() + 86_400).sum())
    if future:
        column = data.recipe.columns.get("time", "time")
        yield f"{pluralize(future, 'time')} are in the future; check column {column!r}"
