"""From an item as written on the command line to one of the data: by id, by title, or by likeness."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from alsatian.errors import AlsatianError, ParameterError

if TYPE_CHECKING:
    from alsatian.data.id_map import Id
    from alsatian.data.interactions import Interactions
    from alsatian.data.title_search import Match

_VALUE = re.compile(r"(.*)=\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*", re.DOTALL)
_NO_VALUE = re.compile(r".*=\s*[-+]?\d[\d.,]*\s*", re.DOTALL)  # meant as a value, as 4,5 is
_SURE = 78.0  # from this score on a title holds the whole query; below, letters differ
_MARGIN = 4.0  # matches this close to the best are as good
_HOPELESS = 66.0  # the best match below this is only good as a hint
_LOOK = 200  # matches to choose from


class Liked(NamedTuple):
    """What follows one --like: an item as written, and its value, or None for the top of the scale."""

    written: str
    value: float | None


def parse_like(text: str) -> Liked:
    """Take apart TITLE[=VALUE]: the value is what follows the last "=" if it is a number.

    >>> parse_like("Toy Story=4.5"), parse_like("E=mc2")
    (Liked(written='Toy Story', value=4.5), Liked(written='E=mc2', value=None))
    """
    found = _VALUE.fullmatch(text)
    if not found and _NO_VALUE.fullmatch(text):
        written = text.rpartition("=")[2].strip()
        raise ParameterError(
            f"--like {text!r} gives the value {written!r}, which is no number; write 4.5 with a point."
        )
    written = (found[1] if found else text).strip()
    if not written:
        raise ParameterError(
            f"--like {text!r} names no item; write it like --like 'Iron Man' or --like 'Toy Story=4.5'."
        )
    return Liked(written, float(found[2]) if found else None)


def find_item(data: Interactions, written: str) -> Id:
    """Return the id of the item that somebody means; an unclear title is said to be so on stderr.

    Raises UnknownItem with the nearest titles.
    """
    row = _by_id(data, written)
    if row < 0 and (found := data.catalog.find(written)) is not None:
        row = found
    if row < 0:
        row = _most_like(data, written)
    return data.item_ids.id_of(row)


def _by_id(data: Interactions, written: str) -> int:
    try:
        return data.item_ids.find(data.item_ids.parse(written))
    except AlsatianError:  # ids are integers, and this is none
        return -1


def _most_like(data: Interactions, written: str) -> int:
    """Take the most rated of the titles most like what is written."""
    from alsatian.cli.terminal import aside
    from alsatian.recommender.resolve import item_row

    matches = data.catalog.search(written, data.item_counts, limit=_LOOK)
    if not matches or matches[0].score < _HOPELESS:
        return item_row(data, written if data.catalog.titles else data.item_ids.parse(written))  # raises UnknownItem
    good = [match for match in matches if match.score >= matches[0].score - _MARGIN]
    good.sort(key=lambda match: -int(data.item_counts[match.row]))
    if len(good) > 1:
        aside(
            f"{written!r} could be any of these; taking the one with most values (name another by its title "
            "and year, or by its id):"
        )
        _draw(data, good[:8], len(good) - 8)
    elif good[0].score < _SURE:
        aside(f"{written!r} taken as {good[0].title!r}")
    return good[0].row


def _draw(data: Interactions, matches: list[Match], more: int) -> None:
    from alsatian.cli.terminal import Facts

    columns = {
        "": ["→" if match is matches[0] else "" for match in matches],
        "item": [str(data.item_ids.id_of(match.row)) for match in matches],
        "title": [match.title for match in matches],
        "values": [f"{int(data.item_counts[match.row]):,}" for match in matches],
    }
    if more > 0:
        columns = {name: [*cells, f"... and {more} more" if name == "title" else ""] for name, cells in columns.items()}
    Facts(stderr=True).table("", columns, right=("values",))
