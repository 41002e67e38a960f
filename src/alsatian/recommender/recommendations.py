"""`Recommendations`: ranked lists of items, with titles, scores and reasons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian._util.dataframes import ColumnBatch, Tabular
from alsatian._util.html_table import TableRepr
from alsatian._util.text_table import TextTable
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id, IdMap

SourceLabels = str | Sequence[str]  # the source of a list, or of each of its places
Reasons = list[tuple[Id, float]]  # titles (or ids) from the history, and their contributions to the score

_HEADINGS = {"user": "for user", "like": "for a visitor who likes", "item": "like"}
_MAX_TABLE_ROWS = 60  # rows of a printed table
_MAX_EXACT_INTEGER = 2**53  # JSON parsers read numbers as float64


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One place of one list. `source` is where it comes from: "als", "fold_in", "popular" ..."""

    rank: int
    item: Id
    title: str | None
    score: float
    source: str
    reasons: Reasons | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Recommendations(Tabular, TableRepr):
    """One ranked list per query, best first: what `recommend` and `similar` return. Lists are never padded.

    query_kind, queries: users, the items that visitors like (lists of titles or ids), or items.
    counts: the length of each list (queries,).
    rows, scores: row numbers of the items and their scores, one list after the other (places,).
    sources: the source of each list (one label, or a label for each place), or one label for all lists.
    reasons: the reasons per query and place, or None if they were not requested.

    As a data frame: user (or like, or query, the item that the others are similar to), rank, item, title, score and
    source. If reasons were requested, there is a column "reasons" of lists of {"item": ..., "contribution": ...}. An
    empty list has no row.

    `len(lists)`, iteration and `lists.items` go over all places of all lists; `lists[0]` is the first list.

    >>> item_ids = IdMap.from_ids(["cars", "heat", "iron", "iron2", "up"], "item")
    >>> best, scores = np.array([4, 2, 1], np.int32), np.array([4.5, 4.25, 3], np.float32)
    >>> Recommendations("user", ["ann", "bob"], np.array([2, 1]), best, scores, "als", item_ids, Catalog())
    user  rank  item  score  source
    ann      1  up    4.500  als
    ann      2  iron  4.250  als
    bob      1  heat  3.000  als
    """

    query_kind: Literal["user", "like", "item"]
    queries: Sequence[Any]
    counts: NDArray[np.integer]
    rows: NDArray[np.int32]
    scores: NDArray[np.floating]
    sources: Sequence[SourceLabels] | str
    item_ids: IdMap
    catalog: Catalog
    reasons: Sequence[Sequence[Reasons]] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[RankedItem]:
        return chain.from_iterable(map(self._ranked_items, range(len(self.queries))))

    def __getitem__(self, query: int) -> Recommendations:
        """Return the list of a single query, by its position among the queries."""
        query = range(len(self.queries))[query]
        part = slice(self._starts[query], self._starts[query + 1])
        return Recommendations(
            self.query_kind,
            [self.queries[query]],
            self.counts[query : query + 1],
            self.rows[part],
            self.scores[part],
            [self._query_source(query)],
            self.item_ids,
            self.catalog,
            None if self.reasons is None else [self.reasons[query]],
        )

    @cached_property
    def items(self) -> list[Id]:
        """The ids of all places of all lists, one list after the other."""
        return self.item_ids.take(self.rows)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])

    @property
    def _query_column_name(self) -> str:
        """The column of the queries. "item" is the column of the recommended items."""
        return "query" if self.query_kind == "item" else self.query_kind

    def _query_source(self, query: int) -> SourceLabels:
        return self.sources if isinstance(self.sources, str) else self.sources[query]

    def _source_column(self, query: NDArray[np.integer]) -> ColumnBatch:
        sources = [self._query_source(index) for index in range(len(self.queries))]
        if all(isinstance(source, str) for source in sources):
            return ColumnBatch(sources, query, is_text=True)
        return ColumnBatch([row.source for row in self], is_text=True)

    def _ranked_items(self, query: int) -> Iterator[RankedItem]:
        source, start = self._query_source(query), int(self._starts[query])
        reasons = None if self.reasons is None else self.reasons[query]
        for position in range(int(self.counts[query])):
            row, score = int(self.rows[start + position]), _shortest_float(self.scores[start + position])
            item_reasons = None if reasons is None else reasons[position] if position < len(reasons) else []
            origin = source if isinstance(source, str) else source[position]
            yield RankedItem(
                position + 1, self.item_ids.id_of(row), self.catalog.title_of(row), score, origin, item_reasons
            )

    def to_dicts(self) -> Iterator[dict[str, Any]]:
        """Yield one dictionary per query, also for an empty list, in the form that `to_json_lines` writes."""
        for index, query in enumerate(self.queries):
            yield {
                self.query_kind: to_json_id(query),
                "items": [_item_to_json(row) for row in self._ranked_items(index)],
            }

    def to_json_lines(self) -> Iterator[str]:
        """Yield one line of JSON per query; integer ids beyond 2^53 become strings.

        {"user": 42, "items": [{"rank": 1, "item": 7, "title": "Up (2009)", "score": 4.7, "source": "als"}]}
        """
        for record in self.to_dicts():
            yield json.dumps(record, ensure_ascii=False)

    def _columns(self) -> dict[str, ColumnBatch]:
        """Return the columns. Each id and title is stored once, however often it is listed."""
        query = np.repeat(np.arange(len(self.queries)), self.counts)
        used, item = np.unique(self.rows, return_inverse=True)
        columns = {
            self._query_column_name: self._query_column(query),
            "rank": ColumnBatch(np.arange(1, len(self) + 1) - self._starts[query]),
            "item": _id_column_batch(self.item_ids.take(used), item, self.item_ids.kind),
            "title": ColumnBatch([self.catalog.title_of(row) for row in used.tolist()], item, is_text=True),
            "score": ColumnBatch(self.scores),
            "source": self._source_column(query),
        }
        if self.reasons is not None:
            columns["reasons"] = ColumnBatch([_reasons_to_json(str, row.reasons or []) for row in self])
        return columns

    def _query_column(self, index: NDArray[np.integer]) -> ColumnBatch:
        if self.query_kind == "like":
            return ColumnBatch([list(map(str, query)) for query in self.queries], index)
        kinds = {"text" if isinstance(query, str) else "int" for query in self.queries}
        kind = self.item_ids.kind if self.query_kind == "item" and not kinds else "text" if "text" in kinds else "int"
        return _id_column_batch(self.queries, index, kind)

    def table(self, limit: int | None = _MAX_TABLE_ROWS) -> TextTable:
        """Return the first `limit` places (None: all) as a text table, without empty columns.

        Each reason has its own line below its item, with its contribution in the score column.
        """
        is_multiple, rows = len(self.queries) != 1, list(islice(self, limit))
        title = "" if is_multiple else self.heading
        if not rows:
            return TextTable(f"{title}: no items" if title else "no items", {}, frozenset())
        digits = 0 if all(row.score.is_integer() for row in rows) else 3
        query_cells = (
            self._describe_query(query) for query in range(len(self.queries)) for _ in range(self.counts[query])
        )
        columns: dict[str, list[str]] = (
            {self._query_column_name: list(islice(query_cells, limit))} if is_multiple else {}
        )
        columns["rank"] = [str(row.rank) for row in rows]
        columns["item"] = [str(row.item) for row in rows]
        if any(row.title for row in rows):
            columns["title"] = [row.title or "" for row in rows]
        columns["score"] = [f"{row.score:,.{digits}f}" for row in rows]
        columns["source"] = [row.source for row in rows]
        if self.reasons is not None:
            columns = _add_reason_rows(columns, rows)
        n_left = len(self) - len(rows)
        return TextTable(title, columns, frozenset({"rank", "score"}), f"... and {n_left:,} more" if n_left else "")

    @property
    def heading(self) -> str:
        """The heading of the first list, such as "for user 42" or "like Iron Man (2008)"."""
        return f"{_HEADINGS[self.query_kind]} {self._describe_query(0)}"

    def _describe_query(self, query: int) -> str:
        """Return a query as text: an item by its title, a visitor by the titles of their items."""
        key = self.queries[query]
        if self.query_kind == "like":
            return ", ".join(map(str, key))
        row = self.item_ids.find(key) if self.query_kind == "item" else -1
        return str(key if row < 0 else self.catalog.title_of(row) or key)


def _shortest_float(score: np.floating) -> float:
    """Return the shortest decimal number that rounds to this float32: 4.7, not 4.699999809265137."""
    return float(str(score))


def _id_column_batch(ids: Sequence[Any], indices: NDArray[np.integer], kind: str) -> ColumnBatch:
    """Return a column of ids, all as text or all as integers, also if it is empty."""
    return (
        ColumnBatch(list(map(str, ids)), indices, is_text=True)
        if kind == "text"
        else ColumnBatch(np.array(ids, np.int64), indices)
    )


def _add_reason_rows(columns: dict[str, list[str]], rows: Sequence[RankedItem]) -> dict[str, list[str]]:
    """Put the reasons of each place on their own lines below it."""
    name = "title" if "title" in columns else "item"
    expanded: dict[str, list[str]] = {column: [] for column in columns}
    for index, row in enumerate(rows):
        lines = [{column: cells[index] for column, cells in columns.items()}]
        lines += [
            {name: f"  because {item}", "score": f"{contribution:+.3f}"} for item, contribution in row.reasons or []
        ]
        for column, cells in expanded.items():
            cells += [line.get(column, "") for line in lines]
    return expanded


def to_json_id(value: Any) -> Any:
    """Return an id, or a list of ids, for JSON: an integer beyond 2^53 becomes text."""
    if isinstance(value, list | tuple):
        return [to_json_id(part) for part in value]
    scalar = value.item() if isinstance(value, np.generic) else value
    return str(scalar) if isinstance(scalar, int) and abs(scalar) > _MAX_EXACT_INTEGER else scalar


def _item_to_json(row: RankedItem) -> dict[str, Any]:
    record = {"rank": row.rank, "item": to_json_id(row.item), "title": row.title, "score": row.score}
    record["source"] = row.source
    if row.reasons is not None:
        record["reasons"] = _reasons_to_json(to_json_id, row.reasons)
    return record


def _reasons_to_json(format_id: Callable[[Id], Any], reasons: Reasons) -> list[dict[str, Any]]:
    return [{"item": format_id(item), "contribution": float(contribution)} for item, contribution in reasons]
