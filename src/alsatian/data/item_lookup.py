"""Resolve an item from an id, a title, or text similar to a title.

The Python API, the command line, the service and Spark all resolve items here. They differ only in the policy, and in
whether text is parsed as an integer id, as in a URL or a command-line argument.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.title_search import Match
from alsatian.errors import AlsatianError, UnknownItem

ItemPolicy = Literal["exact", "title", "fuzzy"]

CONTAINMENT_SCORE = 78.0  # from this score on, a title contains the whole query; below, letters differ
_MIN_FUZZY_SCORE = 66.0  # a best match below this score is only suggested
_TIE_MARGIN = 4.0  # matches within this margin of the best count as equally good
_MAX_MATCHES = 200  # the most rated item is chosen among at most this many matches


class ItemMatch(NamedTuple):
    """The item to which an id or text was resolved.

    row: its row number, or -1 if no item matches.
    candidates: the titles that match equally well, the most rated first; `row` belongs to the first. Empty unless the
        policy is "fuzzy" and titles had to be compared.
    """

    row: int
    candidates: list[Match]


def parse_id(item_ids: IdMap, text: Id) -> Id | None:
    """Convert text to an id of the type of `item_ids`; None if it cannot be converted."""
    if not isinstance(text, str):
        return text
    try:
        return item_ids.parse(text)
    except AlsatianError:  # the ids are integers, and this is not one
        return None


def match_item(data: Interactions, item: Id, policy: ItemPolicy = "title", *, parse: bool = False) -> ItemMatch:
    """Resolve an id or text to an item; does not raise for an unknown one.

    policy: "exact" accepts ids only. "title" also accepts the title of exactly one item; case, accents and punctuation
        are ignored. "fuzzy" also accepts similar text, and takes the most rated of the most similar titles.
    parse: whether to parse text as an integer id ("42" as 42), as on a command line or in a URL.
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
    """Return the row number of an item; `policy` and `parse` as for `match_item`.

    Raises UnknownItem, which suggests the nearest titles or ids.
    """
    row = match_item(data, item, policy, parse=parse).row
    if row < 0:
        parsed_id = parse_id(data.item_ids, item) if parse else None
        raise unknown_item_error(data, item if data.catalog.titles or parsed_id is None else parsed_id)
    return row


def unknown_item_error(data: Interactions, item: Id) -> Exception:
    """Return the error for an item that is neither a known id nor a known title, with the nearest titles or ids."""
    if not isinstance(item, str) or not data.catalog.titles:
        return data.item_ids.unknown_id_error(item)
    titles = [match.title for match in data.catalog.search(item, data.item_counts, limit=3)]
    hint = f"the nearest titles are {', '.join(map(repr, titles))}." if titles else "no title is similar to it."
    return UnknownItem(f"no item {item!r} in this model, neither as an id nor as a title; {hint}")
