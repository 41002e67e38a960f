"""What may be wrong with data, in sentences that say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import counted
from alsatian.ingest.rows.rejects import reasons
from alsatian.ingest.rows.row_filter import chosen
from alsatian.inspection.value_type import above_zero, huge_amounts, judge

_MANY = 0.2  # a share worth mentioning
_ENOUGH = 20  # fewer say nothing


def problems(data: Interactions) -> list[str]:
    """Return what is suspicious, the gravest first."""
    found = [_skipped, _wrong_columns, _values, _repeats, _giants, _singles, _times]
    return [problem for check in found for problem in check(data)]


def _skipped(data: Interactions) -> Iterator[str]:
    bad = {reason: rows for reason, rows in data.report.skipped.items() if not chosen(reason)}
    if bad:
        yield (
            f"{counted(sum(bad.values()), 'row')} of {data.report.read:,} cannot be used ({reasons(bad)}); train "
            "stops at them unless --bad-rows skip is given"
        )


def _wrong_columns(data: Interactions) -> Iterator[str]:
    columns, rows = data.recipe.columns, len(data)
    for ids, other in ((data.user_ids, data.item_ids), (data.item_ids, data.user_ids)):
        column = f"column {columns[ids.what]!r}" if ids.what in columns else "its column"
        if len(ids) == 1:
            yield f"the only {ids.what} is {ids.id_of(0)!r}; {column} may be the wrong one (--{ids.what})"
        elif len(ids) == rows >= _ENOUGH and len(other) < rows:
            yield (
                f"no {ids.what} comes twice, so there is nothing to learn; {column} may number the rows "
                f"(--{ids.what} names another)"
            )


def _values(data: Interactions) -> Iterator[str]:
    low, high = float(data.values.min()), float(data.values.max())
    column = data.recipe.columns.get("value")
    if not column or data.recipe.weighs:
        return
    if low == high:
        yield f"all values are {low:g}: there are no ratings to predict; implicit-als takes them as likes"
        return
    rated, _ = judge(data)
    leave = f"--where {above_zero(column)!r} leaves them out"
    zeros, below = int((data.values == 0).sum()), int((data.values < 0).sum())
    if rated and low == 0 and zeros > _MANY * len(data):
        yield f"{zeros / len(data):.0%} of the ratings are 0, which often means not rated; {leave}"
    if not rated and zeros + below:
        yield f"{counted(zeros + below, 'value')} are not above 0, which implicit-als refuses; {leave}"
    if not rated and (huge := huge_amounts(data)):
        yield huge


def _repeats(data: Interactions) -> Iterator[str]:
    share = data.report.combined / max(data.report.read, 1)
    if share > _MANY:
        rule = data.recipe.duplicates
        yield f"{share:.0%} of the rows repeat a pair of user and item; --duplicates is {rule} for them"


def _giants(data: Interactions) -> Iterator[str]:
    most = int(data.by_user.counts.argmax())
    share = data.by_user.counts[most] / len(data)
    if len(data.user_ids) >= _ENOUGH and share > 0.05:
        user = data.user_ids.id_of(most)
        yield f"user {user!r} alone has {share:.0%} of the values: a machine, or everybody who is not known?"


def _singles(data: Interactions) -> Iterator[str]:
    sides: tuple[tuple[str, NDArray[np.int64]], ...] = (
        ("user", data.by_user.counts),
        ("item", data.item_counts),
    )
    for what, counts in sides:
        single = int((counts == 1).sum())
        if _MANY * len(counts) < single < len(data):
            share = f"{single / len(counts):.0%}"
            yield f"{counted(single, what)} ({share}) have a single value each, too little to learn from"


def _times(data: Interactions) -> Iterator[str]:
    if data.times is None:
        return
    later = int((data.times > time.time() + 86_400).sum())
    if later:
        column = data.recipe.columns.get("time", "time")
        yield f"{counted(later, 'time')} lie in the future; check column {column!r}"
