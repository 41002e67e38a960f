"""Items on the command line: an id, a title or a similar title; --like also takes a value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.id_map import Id
    from alsatian.data.interactions import Interactions
    from alsatian.data.title_search import Match

_VALUE = re.compile(r"(.*)=\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.DOTALL)
_NO_VALUE = re.compile(r".*=\s*[-+]?\d[\d.,]*\s*", re.DOTALL)  # intended as a value, such as 4,5


class LikeOption(NamedTuple):
    """The argument of a --like option: the text of an item, and its value; None means the highest one."""

    item_text: str
    value: float | None


def parse_like(text: str) -> LikeOption:
    """Split TITLE[=VALUE]; the text after the last "=" is the value if it is a number. Raises ParameterError.

    >>> parse_like("Toy Story=4.5"), parse_like("E=mc2")
    (LikeOption(item_text='Toy Story', value=4.5), LikeOption(item_text='E=mc2', value=None))
    """
    match = _VALUE.fullmatch(text)
    if not match and _NO_VALUE.fullmatch(text):
        item_text = text.rpartition("=")[2].strip()
        raise ParameterError(f"--like {text!r} has the value {item_text!r}, which is not a number; write it like 4.5.")
    item_text = (match[1] if match else text).strip()
    if not item_text:
        raise ParameterError(f"--like {text!r} has no item; write it like --like 'Iron Man' or --like 'Toy Story=4.5'.")
    return LikeOption(item_text, float(match[2]) if match else None)


def find_item(data: Interactions, text: str) -> Id:
    """Return the id of the item that a text names: an id, a title, or a similar title.

    Prints a note on stderr if the text is ambiguous. Raises UnknownItem with the nearest titles.
    """
    from alsatian.cli.terminal import note_stderr
    from alsatian.data.item_lookup import CONTAINMENT_SCORE, item_row, match_item

    row, candidates = match_item(data, text, "fuzzy", parse=True)
    if row < 0:
        item_row(data, text, "title", parse=True)  # raises UnknownItem
    if len(candidates) > 1:
        note_stderr(
            f"{text!r} matches several items; using the one with the most values. To choose another, pass its title "
            "with the year, or its id:"
        )
        _print_matches(data, candidates[:8], len(candidates) - 8)
    elif candidates and candidates[0].score < CONTAINMENT_SCORE:
        note_stderr(f"using {candidates[0].title!r} for {text!r}")
    return data.item_ids.id_of(row)


def _print_matches(data: Interactions, matches: list[Match], hidden_count: int) -> None:
    from alsatian.cli.terminal import Summary

    columns = {
        "": ["→" if match is matches[0] else "" for match in matches],
        "item": [str(data.item_ids.id_of(match.row)) for match in matches],
        "title": [match.title for match in matches],
        "values": [f"{int(data.item_counts[match.row]):,}" for match in matches],
    }
    if hidden_count > 0:
        columns = {
            name: [*cells, f"... and {hidden_count} more" if name == "title" else ""] for name, cells in columns.items()
        }
    Summary(stderr=True).table("", columns, right=("values",))
