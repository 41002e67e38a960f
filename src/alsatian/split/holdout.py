"""Protocols that hold out some values of each user and train on the others (weak generalization)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import parse_duration, parse_timestamp, require_int
from alsatian.data.interactions import Interactions
from alsatian.data.weighting import SECONDS_PER_DAY
from alsatian.errors import DataError, ParameterError
from alsatian.split.split import Mask, Split, check_data, check_share, make_rng, make_split


def split_random(data: Interactions, share: float = 0.2, seed: int = 0, *, validation: float = 0.0) -> Split:
    """Hold out a random share of all values.

    validation: the share of the remaining values to hold out for choosing models and settings.

    Raises ParameterError for a share that is not between 0 and 1.
    """

    def draw(part: Interactions, share: float) -> Mask:
        count = round(len(part) * check_share("share", share))
        return _mask_of_rows(len(part), rng.permutation(len(part))[:count])

    rng = make_rng(seed)
    return make_split(f"random:{share}", data, draw, share, validation)


def split_per_user(data: Interactions, n: int = 10, seed: int = 0, *, last: bool = False, validation: int = 0) -> Split:
    """Hold out n values of each user, but never more than half of the user's values.

    last: hold out the newest values instead of random ones; values of the same time are in random order.
    validation: the number of further values of each user to hold out for choosing models and settings; never more than
        half of the remaining ones.

    Raises ParameterError for an n below 1, and DataError for `last` if values have no times.
    """

    def draw(part: Interactions, n: int) -> Mask:
        counts = part.by_user.counts
        keys = (rng.random(len(part)), *((-require_times(part, name),) if last else ()), part.users)
        order = np.lexsort(keys)  # the entries of each user, the held-out ones first
        rank = np.arange(len(part)) - np.repeat(part.by_user.indptr[:-1], counts)
        return _mask_of_rows(len(part), order[rank < np.repeat(np.minimum(n, counts // 2), counts)])

    name = f"per-user:{n}{':last' if last else ''}"
    check_data("per_user", data)
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise ParameterError(f"n={n!r} is not a whole number; pass the number of values to hold out per user.")
    if n < 1:
        raise ParameterError(f"n={n} holds nothing out; pass 1 or more.")
    rng = make_rng(seed)
    return make_split(name, data, draw, n, require_int("validation", validation, 0))


def split_leave_one_out(data: Interactions, seed: int = 0, *, last: bool = False, validation: bool = False) -> Split:
    """Hold out one value of each user with at least two values: a random one, or the newest (`last`).

    validation: whether to hold out a further value for choosing models and settings.

    Raises DataError for `last` if values have no times.
    """
    split = split_per_user(data, 1, seed, last=last, validation=int(validation))
    return replace(split, name=f"leave-one-out{':last' if last else ''}")


def split_by_time(data: Interactions, share: float = 0.2, *, date: Any = None, validation: float = 0.0) -> Split:
    """Hold out the newest values, so that every training value is older than every held-out one.

    share: the share of values to hold out. All values with the time of the cut are held out, so it can be slightly
        more.
    date: the time of the cut, instead of a share (a date or seconds since 1970). Values of this time or later are held
        out.
    validation: the share of the remaining values, the newest ones, to hold out for choosing models and settings.

    Raises DataError if values have no times, and ParameterError for a share or date that is not valid.
    """

    def draw(part: Interactions, cut: float) -> Mask:
        times = require_times(part, name)
        if not isinstance(cut, int):
            cut = int(np.sort(times)[-max(1, round(len(times) * cut))])
        return np.asarray(times >= cut)

    name = f"by-time:{share if date is None else date}"
    size = check_share("share", share) if date is None else parse_timestamp("date", date)
    return make_split(name, data, draw, size, check_share("validation", validation) if validation else 0)


def split_rolling(
    data: Interactions, windows: int = 3, span: float | str = "30d", *, history: Any = None
) -> list[Split]:
    """Hold out the last `windows` time windows, one per split, the oldest first. Each split trains on earlier values.

    span: the length of a window, in days or as '12h', '4w'.
    history: the length of the training period before each window (None: all earlier values).

    Raises DataError if values have no times, or if a window or its training period has no values.
    """
    name = f"rolling:{require_int('windows', windows, 1)}:{span}{'' if history is None else f':{history}'}"
    times = require_times(check_data("rolling", data), name)
    span_seconds = round(parse_duration("span", span) * SECONDS_PER_DAY)
    history_seconds = None if history is None else round(parse_duration("history", history) * SECONDS_PER_DAY)
    splits = []
    for window in range(windows):
        start = int(times.max()) + 1 - (windows - window) * span_seconds
        train_mask = (times < start) & (True if history_seconds is None else times >= start - history_seconds)
        held_out_mask = (times >= start) & (times < start + span_seconds)
        if not (train_mask.any() and held_out_mask.any()):
            purpose = "hold out" if train_mask.any() else "train on"
            raise DataError(
                f"window {window + 1} of {name} has nothing to {purpose}; use fewer windows, or another span."
            )
        splits.append(Split(name, data.where(train_mask), data.where(held_out_mask), fold=window + 1))
    return splits


def split_folds(data: Interactions, k: int = 5, seed: int = 0) -> list[Split]:
    """Return k random splits, such that each value is held out in exactly one of them (cross-validation).

    Raises ParameterError for a k below 2 or above the number of values.
    """
    check_data("k_fold", data)
    if require_int("k", k, 2) > len(data):
        raise ParameterError(f"k={k} is more than the {len(data):,} values; pass a smaller k.")
    fold_numbers = np.empty(len(data), np.int64)
    fold_numbers[make_rng(seed).permutation(len(data))] = np.arange(len(data)) % k
    return [
        Split(f"k-fold:{k}", data.where(fold_numbers != fold), data.where(fold_numbers == fold), fold=fold + 1)
        for fold in range(k)
    ]


def require_times(data: Interactions, name: str) -> NDArray[np.int64]:
    """Return the times of the values; raises DataError if there are none. name: the protocol."""
    if data.times is None:
        raise DataError(f"{name} requires times, but this data has none; name the time column with time= (--time).")
    return data.times


def _mask_of_rows(count: int, rows: NDArray[np.integer]) -> Mask:
    mask = np.zeros(count, bool)
    mask[rows] = True
    return mask
