"""Resolve an item from what a user writes: an id, a title, or something like a title.

The Python API, the command line, the service and Spark all resolve items here. They differ only in the policy, and in
whether text may be an id of integers, as it is in a URL or in an argument of a command.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.title_search import Match
from alsatian.errors import AlsatianError, UnknownItem

ItemPolicy = Literal["exact", "title", "fuzzy"]

CONTAINMENT_SCORE = 78.0  # from this score on a title contains the whole query; below, letters differ
_MIN_FUZZY_SCORE = 66.0  # the best match below this is only a suggestion
_TIE_MARGIN = 4.0  # matches this close to the best are equally good
_MAX_MATCHES = 200  # matches among which the most rated one is chosen


class ItemMatch(NamedTuple):
    """The item that a text was resolved to.

    row: its row, -1 if there is none. candidates: the titles that match equally well, the most rated first; `row` is
    the first of them. Empty unless the policy "fuzzy" had to compare titles.
    """

    row: int
    candidates: list[Match]


def parse_id(item_ids: IdMap, text: Id) -> Id | None:
    """Return text as an id of the type of these ids; None if it cannot be one."""
    if not isinstance(text, str):
        return text
    try:
        return item_ids.parse(text)
    except AlsatianError:  # the ids are integers, and this is not one
        return None


def match_item(data: Interactions, item: Id, policy: ItemPolicy = "title", *, parse: bool = False) -> ItemMatch:
    """Find the item that is meant by an id or a text; does not raise for an unknown one.

    policy: "exact" takes ids only. "title" also takes the title of exactly one item, whatever its case, accents and
        punctuation. "fuzzy" also takes the most rated of the titles that are most like the text.
    parse: whether text may be an id of integers ("42" for 42), as on a command line or in a URL.
    """
    row = data.item_ids.find(parse_id(data.item_ids, item) if parse else item)
    if row >= 0 or policy == "exact" or not isinstance(item, str):
        return ItemMatch(row, [])
    if (title_row := data.catalog.find(item)) is not None:
        return ItemMatch(title_row, [])
    if policy == "title":
        return ItemMatch(-1, [])
    matches = data.catalog.search(item, data.item_counts, limit=_MAX_MATCHES)
    if not matches or matches[0].score < _MIN_FUZZY_SCORE:
        return ItemMatch(-1, [])
    candidates = [match for match in matches if match.score >= matches[0].score - _TIE_MARGIN]
    candidates.sort(key=lambda match: -int(data.item_counts[match.row]))
    return ItemMatch(candidates[0].row, candidates)


def item_row(data: Interactions, item: Id, policy: ItemPolicy = "title", *, parse: bool = False) -> int:
    """Return the row of the item that is meant; `policy` and `parse` as for `match_item`.

    Raises UnknownItem, which names the nearest titles or ids.
    """
    row = match_item(data, item, policy, parse=parse).row
    if row < 0:
        parsed_id = parse_id(data.item_ids, item) if parse else None
        raise unknown_item_error(data, item if data.catalog.titles or parsed_id is None else parsed_id)
    return row


def unknown_item_error(data: Interactions, item: Id) -> Exception:
    """Build the error for an item that is neither an id nor a title here, with the nearest titles or ids."""
    if not isinstance(item, str) or not data.catalog.titles:
        return data.item_ids.unknown_id_error(item)
    titles = [match.title for match in data.catalog.search(item, data.item_counts, limit=3)]
    hint = f"the nearest titles are {', '.join(map(repr, titles))}." if titles else "no title is similar to it."
    return UnknownItem(f"no item {item!r} in this model, neither as an id nor as a title; {hint}")
