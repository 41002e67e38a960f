"""Parse specs of splits, as on the command line: per-user:10, by-time:0.2, k-fold:5 ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, did_you_mean
from alsatian.split import holdout, published_splits, strong_generalization
from alsatian.split.split import Split

ArgumentReader = Callable[[str], Any]


def _read_count_or_share(text: str) -> float:
    """Parse a number; an integer is a count, another number is a share."""
    return int(text) if text.isdigit() else float(text)


def _read_last(text: str) -> bool:
    if text != "last":
        raise ValueError(text)
    return True


def _split_by_share_or_date(data: Interactions, share_or_date: str | float = 0.2) -> Split:
    is_date = isinstance(share_or_date, str) or share_or_date > 1  # a date, or seconds since 1970
    if is_date:
        return holdout.split_by_time(data, date=share_or_date)
    return holdout.split_by_time(data, float(share_or_date))


def _read_share_or_date(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


# name -> the protocol, the parser of each argument that may follow after a colon, and an example
PROTOCOLS: dict[str, tuple[Callable[..., Split | list[Split]], dict[str, ArgumentReader], str]] = {
    "per-user": (holdout.split_per_user, {"n": int, "last": _read_last}, "per-user:10"),
    "leave-one-out": (holdout.split_leave_one_out, {"last": _read_last}, "leave-one-out:last"),
    "random": (holdout.split_random, {"share": float}, "random:0.2"),
    "by-time": (_split_by_share_or_date, {"share_or_date": _read_share_or_date}, "by-time:0.2"),
    "rolling": (holdout.split_rolling, {"windows": int, "span": str, "history": str}, "rolling:3:30d"),
    "k-fold": (holdout.split_folds, {"k": int}, "k-fold:5"),
    "new-users": (strong_generalization.split_users, {"users": _read_count_or_share, "share": float}, "new-users:0.1"),
    "new-user-folds": (strong_generalization.split_user_folds, {"k": int, "share": float}, "new-user-folds:5"),
    "liang2018": (published_splits.split_liang2018, {"users": int}, "liang2018:10000"),
}
_UNSEEDED_PROTOCOLS = ("by-time", "rolling", "liang2018")


def from_spec(spec: str, data: Interactions, seed: int = 0) -> list[Split]:
    """Return the splits of a spec: the name of a protocol, then its first arguments, separated by colons.

    Raises ParameterError for a spec that is not valid, and the errors of the protocol.

    >>> from alsatian import datasets
    >>> [split.label for split in from_spec("k-fold:2", datasets.load("movielens-small"))]
    ['k-fold:2 (1)', 'k-fold:2 (2)']
    """
    protocol, arguments = parse_spec(spec)
    seed_argument = {} if spec.partition(":")[0].strip() in _UNSEEDED_PROTOCOLS else {"seed": seed}
    result = protocol(data, **arguments, **seed_argument)
    return result if isinstance(result, list) else [result]


def parse_spec(spec: str) -> tuple[Callable[..., Split | list[Split]], dict[str, Any]]:
    """Return the protocol and the arguments of a spec. Raises ParameterError for a spec that is not valid."""
    if not isinstance(spec, str):
        raise ParameterError(f"the spec of a split must be text, such as 'random:0.2', not {type(spec).__name__}.")
    name, separator, argument_text = (part.strip() for part in spec.partition(":"))
    if name not in PROTOCOLS:
        examples = ", ".join(example for *_, example in PROTOCOLS.values())
        raise ParameterError(
            f"{name!r} is not a valid split; write one like {examples}.{did_you_mean(name, list(PROTOCOLS))}"
        )
    protocol, readers, example = PROTOCOLS[name]
    # The last argument may contain colons, as in a time of day.
    texts = argument_text.split(":", len(readers) - 1) if separator else []
    arguments = {}
    for (argument, reader), text in zip(readers.items(), texts, strict=False):
        try:
            arguments[argument] = reader(text.strip())
        except ValueError:
            raise ParameterError(f"{text!r} is not a valid {argument} of {name}; write it like {example}.") from None
    return protocol, arguments
