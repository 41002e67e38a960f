"""Protocols that hold out values of people who also have some to learn from (weak generalization)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import as_days, as_moment, whole
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.split.split import Mask, Split, check_data, check_share, generator, parted

DAY = 86_400  # seconds


def random(data: Interactions, share: float = 0.2, seed: int = 0, *, validation: float = 0.0) -> Split:
    """Hold out a random share of all values, each with the same chance.

    validation: a further share, of the rest, to choose by.
    """

    def draw(some: Interactions, share: float) -> Mask:
        count = round(len(some) * check_share("share", share))
        return _mask(len(some), rng.permutation(len(some))[:count])

    rng = generator(seed)
    return parted(f"random:{share}", data, draw, share, validation)


def per_user(data: Interactions, n: int = 10, seed: int = 0, *, last: bool = False, validation: int = 0) -> Split:
    """Hold out n values of each user, but never more than half of what the user has.

    last: the newest ones (the seed decides between those of one moment) instead of random ones.
    validation: how many further values of each user to choose by; never more than half of the rest.
    """

    def draw(some: Interactions, n: int) -> Mask:
        counts = some.by_user.counts
        keys = (rng.random(len(some)), *((-times_of(some, name),) if last else ()), some.users)
        order = np.lexsort(keys)  # each user's entries, those to hold out first
        place = np.arange(len(some)) - np.repeat(some.by_user.indptr[:-1], counts)
        return _mask(len(some), order[place < np.repeat(np.minimum(n, counts // 2), counts)])

    name = f"per-user:{n}{':last' if last else ''}"
    check_data("per_user", data)
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise ParameterError(f"n={n!r} is not a whole number; pass how many values of each user to hold out.")
    if n < 1:
        raise ParameterError(f"n={n} holds nothing out; pass 1 or more.")
    rng = generator(seed)
    return parted(name, data, draw, n, whole("validation", validation, 0))


def leave_one_out(data: Interactions, seed: int = 0, *, last: bool = False, validation: bool = False) -> Split:
    """Hold out one value of each user who has two or more: the newest (`last`) or a random one."""
    made = per_user(data, 1, seed, last=last, validation=int(validation))
    return replace(made, name=f"leave-one-out{':last' if last else ''}")


def by_time(data: Interactions, share: float = 0.2, *, at: Any = None, validation: float = 0.0) -> Split:
    """Hold out what came last: nothing learned from is newer than anything held out.

    share: of the values; those of the moment of the cut are held out, so it can be a little more.
    at: the moment of the cut instead (a date or seconds since 1970); what happened then or later is held out.
    validation: a further share, the newest of the rest, to choose by.
    """

    def draw(some: Interactions, cut: float) -> Mask:
        times = times_of(some, name)
        if not isinstance(cut, int):
            cut = int(np.sort(times)[-max(1, round(len(times) * cut))])
        return np.asarray(times >= cut)

    name = f"by-time:{share if at is None else at}"
    size = check_share("share", share) if at is None else as_moment("at", at)
    return parted(name, data, draw, size, check_share("validation", validation) if validation else 0)


def rolling(data: Interactions, windows: int = 3, span: float | str = "30d", *, history: Any = None) -> list[Split]:
    """Hold out the last `windows` spans of time, one a split, the oldest first; each learns from what came before.

    span: of a window, in days or as '12h', '4w'. history: how far back to learn from (None: all that there is).
    """
    name = f"rolling:{whole('windows', windows, 1)}:{span}{'' if history is None else f':{history}'}"
    times = times_of(check_data("rolling", data), name)
    length = round(as_days("span", span) * DAY)
    reach = None if history is None else round(as_days("history", history) * DAY)
    made = []
    for window in range(windows):
        start = int(times.max()) + 1 - (windows - window) * length
        before = (times < start) & (True if reach is None else times >= start - reach)
        held = (times >= start) & (times < start + length)
        if not (before.any() and held.any()):
            what = "hold out" if before.any() else "learn from"
            raise DataError(f"window {window + 1} of {name} has nothing to {what}; ask for fewer, or another span.")
        made.append(Split(name, data.where(before), data.where(held), fold=window + 1))
    return made


def folds(data: Interactions, k: int = 5, seed: int = 0) -> list[Split]:
    """Return k splits of all values: each value is held out in exactly one of them, at random."""
    check_data("folds", data)
    if whole("k", k, 2) > len(data):
        raise ParameterError(f"k={k} is more than the {len(data):,} values; pass fewer folds.")
    of = np.empty(len(data), np.int64)
    of[generator(seed).permutation(len(data))] = np.arange(len(data)) % k
    return [Split(f"folds:{k}", data.where(of != fold), data.where(of == fold), fold=fold + 1) for fold in range(k)]


def times_of(data: Interactions, name: str) -> NDArray[np.int64]:
    """Return the times of the values; raises DataError where there are none."""
    if data.times is None:
        raise DataError(
            f"{name} needs the time of every value, and this data has none; name its column when reading "
            "(time=, on the command line --time)."
        )
    return data.times


def _mask(count: int, chosen: NDArray[np.integer]) -> Mask:
    mask = np.zeros(count, bool)
    mask[chosen] = True
    return mask
