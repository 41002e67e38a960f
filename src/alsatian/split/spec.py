"""Protocols as people write them on a command line: per-user:10, by-time:0.2, folds:5 ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, nearest
from alsatian.split import holdout, published_splits, strong_generalization
from alsatian.split.split import Split

Read = Callable[[str], Any]


def _number(written: str) -> float:
    """Read a number; a whole one is a count."""
    return int(written) if written.isdigit() else float(written)


def _last(written: str) -> bool:
    if written != "last":
        raise ValueError(written)
    return True


def _time(data: Interactions, cut: str | float = 0.2) -> Split:
    moment = isinstance(cut, str) or cut > 1  # a date, or seconds since 1970
    return holdout.by_time(data, at=cut) if moment else holdout.by_time(data, float(cut))


def _share_or_moment(written: str) -> str | float:
    try:
        return float(written)
    except ValueError:
        return written


# name -> the protocol, what may follow after colons and how each is read, and an example
PROTOCOLS: dict[str, tuple[Callable[..., Split | list[Split]], dict[str, Read], str]] = {
    "per-user": (holdout.per_user, {"n": int, "last": _last}, "per-user:10"),
    "leave-one-out": (holdout.leave_one_out, {"last": _last}, "leave-one-out:last"),
    "random": (holdout.random, {"share": float}, "random:0.2"),
    "by-time": (_time, {"cut": _share_or_moment}, "by-time:0.2"),
    "rolling": (holdout.rolling, {"windows": int, "span": str, "history": str}, "rolling:3:30d"),
    "folds": (holdout.folds, {"k": int}, "folds:5"),
    "strong": (strong_generalization.strong, {"users": _number, "share": float}, "strong:0.1"),
    "user-folds": (strong_generalization.user_folds, {"k": int, "share": float}, "user-folds:5"),
    "liang2018": (published_splits.liang2018, {"users": int}, "liang2018:10000"),
}
_UNSEEDED = ("by-time", "rolling", "liang2018")


def named(written: str, data: Interactions, seed: int = 0) -> list[Split]:
    """Return the splits of a protocol as it is written: its name, then its first arguments after colons.

    >>> from alsatian import datasets
    >>> [split.label for split in named("folds:2", datasets.load("movielens-small"))]
    ['folds:2 (1)', 'folds:2 (2)']
    """
    protocol, arguments = parse(written)
    seeded = {} if written.partition(":")[0].strip() in _UNSEEDED else {"seed": seed}
    made = protocol(data, **arguments, **seeded)
    return made if isinstance(made, list) else [made]


def parse(written: str) -> tuple[Callable[..., Split | list[Split]], dict[str, Any]]:
    """Return a protocol and its arguments; raises ParameterError before any work."""
    if not isinstance(written, str):
        raise ParameterError(f"a split is asked for in words, such as 'random:0.2', not by a {type(written).__name__}.")
    name, colon, rest = (part.strip() for part in written.partition(":"))
    if name not in PROTOCOLS:
        examples = ", ".join(example for *_, example in PROTOCOLS.values())
        raise ParameterError(f"there is no split {name!r}; write one like {examples}.{nearest(name, list(PROTOCOLS))}")
    protocol, readers, example = PROTOCOLS[name]
    given = rest.split(":", len(readers) - 1) if colon else []  # the last may hold colons: a time of day
    arguments = {}
    for (argument, read), text in zip(readers.items(), given, strict=False):
        try:
            arguments[argument] = read(text.strip())
        except ValueError:
            raise ParameterError(f"{text!r} is no {argument} of {name}; write it like {example}.") from None
    return protocol, arguments
