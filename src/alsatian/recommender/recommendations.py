"""The answer to "what is best for whom": ranked lists of items, with titles, scores and reasons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian._util.dataframes import Gathered, Tabular
from alsatian._util.text_table import TextTable
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id, Ids

Source = str | Sequence[str]  # where a list comes from, or each of its places
Reasons = list[tuple[Id, float]]  # titles (or ids) that speak for an item, and how much

_TITLES = {"user": "for user", "like": "for a visitor who likes", "item": "like"}
_SHOWN = 60  # rows of a printed table
_EXACT = 2**53  # readers of JSON hold numbers in float64


@dataclass(frozen=True, slots=True)
class Row:
    """One place of one list. `source` says where it comes from: "als", "fold_in", "popular" ..."""

    rank: int
    item: Id
    title: str | None
    score: float
    source: str
    because: Reasons | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Recommendations(Tabular):
    """One ranked list per query, best first: what `recommend` and `similar` return. Lists are never padded.

    asked: what the queries are: users, what visitors like (lists of titles or ids), or items.
    counts: the length of each list (queries,).
    rows, scores: row numbers of the items and their scores, one list after the other (places,).
    sources: where each list comes from (one word, or one for each place), or one word for all.
    because: per query and place the reasons, or None where they were not asked for.

    As a data frame: user (or like, or query, the item that the others are similar to), rank, item, title, score,
    source, and where reasons were asked for "because", of lists of {"item": ..., "contribution": ...}. An empty list
    has no row.

    `len(lists)`, iteration and `lists.items` go over all places of all lists; `lists[0]` is the first list.

    >>> item_ids = Ids.of(["cars", "heat", "iron", "iron2", "up"], "item")
    >>> best, scores = np.array([4, 2, 1], np.int32), np.array([4.5, 4.25, 3], np.float32)
    >>> Recommendations("user", ["ann", "bob"], np.array([2, 1]), best, scores, "als", item_ids, Catalog())
    user  rank  item  score  source
    ann      1  up    4.500  als
    ann      2  iron  4.250  als
    bob      1  heat  3.000  als
    """

    asked: Literal["user", "like", "item"]
    queries: Sequence[Any]
    counts: NDArray[np.integer]
    rows: NDArray[np.int32]
    scores: NDArray[np.floating]
    sources: Sequence[Source] | str
    item_ids: Ids
    catalog: Catalog
    because: Sequence[Sequence[Reasons]] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(map(self._list, range(len(self.queries))))

    def __getitem__(self, query: int) -> Recommendations:
        """Return the list of one query alone, by its place among the queries."""
        query = range(len(self.queries))[query]
        part = slice(self._starts[query], self._starts[query + 1])
        return Recommendations(
            self.asked,
            [self.queries[query]],
            self.counts[query : query + 1],
            self.rows[part],
            self.scores[part],
            [self._source(query)],
            self.item_ids,
            self.catalog,
            None if self.because is None else [self.because[query]],
        )

    @cached_property
    def items(self) -> list[Id]:
        """The ids of all places of all lists, one list after the other."""
        return self.item_ids.take(self.rows)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])

    @property
    def _asked(self) -> str:
        """The column of the queries; "item" is the column of the answers."""
        return "query" if self.asked == "item" else self.asked

    def _source(self, query: int) -> Source:
        return self.sources if isinstance(self.sources, str) else self.sources[query]

    def _source_column(self, query: NDArray[np.integer]) -> Gathered:
        sources = [self._source(at) for at in range(len(self.queries))]
        if all(isinstance(source, str) for source in sources):
            return Gathered(sources, query, text=True)
        return Gathered([row.source for row in self], text=True)

    def _list(self, query: int) -> Iterator[Row]:
        source, start = self._source(query), int(self._starts[query])
        reasons = None if self.because is None else self.because[query]
        for place in range(int(self.counts[query])):
            row, score = int(self.rows[start + place]), _short(self.scores[start + place])
            why = None if reasons is None else reasons[place] if place < len(reasons) else []
            origin = source if isinstance(source, str) else source[place]
            yield Row(place + 1, self.item_ids.id_of(row), self.catalog.title_of(row), score, origin, why)

    def to_dicts(self) -> Iterator[dict[str, Any]]:
        """Yield one dictionary per query, also for an empty list, of the form that `to_json_lines` writes."""
        for at, query in enumerate(self.queries):
            yield {self.asked: json_id(query), "items": [_json_row(row) for row in self._list(at)]}

    def to_json_lines(self) -> Iterator[str]:
        """Yield one line of JSON per query; integer ids beyond 2^53 become strings.

        {"user": 42, "items": [{"rank": 1, "item": 7, "title": "Up (2009)", "score": 4.7, "source": "als"}]}
        """
        for record in self.to_dicts():
            yield json.dumps(record, ensure_ascii=False)

    def _columns(self) -> dict[str, Gathered]:
        """Each id and title once, however often it stands in the lists."""
        query = np.repeat(np.arange(len(self.queries)), self.counts)
        used, item = np.unique(self.rows, return_inverse=True)
        columns = {
            self._asked: self._asked_column(query),
            "rank": Gathered(np.arange(1, len(self) + 1) - self._starts[query]),
            "item": _id_column(self.item_ids.take(used), item, self.item_ids.kind),
            "title": Gathered([self.catalog.title_of(row) for row in used.tolist()], item, text=True),
            "score": Gathered(self.scores),
            "source": self._source_column(query),
        }
        if self.because is not None:
            columns["because"] = Gathered([_named(str, row.because or []) for row in self])
        return columns

    def _asked_column(self, at: NDArray[np.integer]) -> Gathered:
        if self.asked == "like":
            return Gathered([list(map(str, asked)) for asked in self.queries], at)
        kinds = {"text" if isinstance(asked, str) else "int" for asked in self.queries}
        kind = self.item_ids.kind if self.asked == "item" and not kinds else "text" if "text" in kinds else "int"
        return _id_column(self.queries, at, kind)

    def table(self, most: int | None = _SHOWN) -> TextTable:
        """Return the first places (None: all) as text; a column that would say nothing is left out.

        Each reason has a line of its own below its item, with its part of the score in the column of scores.
        """
        several, rows = len(self.queries) != 1, list(islice(self, most))
        title = "" if several else self.heading
        if not rows:
            return TextTable(f"{title}: no items" if title else "no items", {}, frozenset())
        digits = 0 if all(row.score.is_integer() for row in rows) else 3
        asked = (self._words(query) for query in range(len(self.queries)) for _ in range(self.counts[query]))
        columns: dict[str, list[str]] = {self._asked: list(islice(asked, most))} if several else {}
        columns["rank"] = [str(row.rank) for row in rows]
        columns["item"] = [str(row.item) for row in rows]
        if any(row.title for row in rows):
            columns["title"] = [row.title or "" for row in rows]
        columns["score"] = [f"{row.score:,.{digits}f}" for row in rows]
        columns["source"] = [row.source for row in rows]
        if self.because is not None:
            columns = _with_reasons(columns, rows)
        left = len(self) - len(rows)
        return TextTable(title, columns, frozenset({"rank", "score"}), f"... and {left:,} more" if left else "")

    @property
    def heading(self) -> str:
        """What the first list is, in words: "for user 42", "like Iron Man (2008)"."""
        return f"{_TITLES[self.asked]} {self._words(0)}"

    def _words(self, query: int) -> str:
        """A query in words: an item by its title, what a visitor likes by all titles."""
        asked = self.queries[query]
        if self.asked == "like":
            return ", ".join(map(str, asked))
        row = self.item_ids.find(asked) if self.asked == "item" else -1
        return str(asked if row < 0 else self.catalog.title_of(row) or asked)

    def __repr__(self) -> str:
        return str(self.table())

    def __rich__(self) -> TextTable:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table().html()


def _short(score: np.floating) -> float:
    """The shortest number that a float32 stands for: 4.7, not 4.699999809265137."""
    return float(str(score))


def _id_column(ids: Sequence[Any], at: NDArray[np.integer], kind: str) -> Gathered:
    """All ids as text, or all as integers, also where there is none."""
    return Gathered(list(map(str, ids)), at, text=True) if kind == "text" else Gathered(np.array(ids, np.int64), at)


def _with_reasons(columns: dict[str, list[str]], rows: Sequence[Row]) -> dict[str, list[str]]:
    """Put the reasons of each place on lines of their own below it."""
    name = "title" if "title" in columns else "item"
    told: dict[str, list[str]] = {column: [] for column in columns}
    for at, row in enumerate(rows):
        lines = [{column: cells[at] for column, cells in columns.items()}]
        lines += [{name: f"  because {of}", "score": f"{by:+.3f}"} for of, by in row.because or []]
        for column, cells in told.items():
            cells += [line.get(column, "") for line in lines]
    return told


def json_id(asked: Any) -> Any:
    """Return an id, or a list of them, as JSON holds it: an integer beyond 2^53 becomes text."""
    if isinstance(asked, list | tuple):
        return [json_id(part) for part in asked]
    plain = asked.item() if isinstance(asked, np.generic) else asked
    return str(plain) if isinstance(plain, int) and abs(plain) > _EXACT else plain


def _json_row(row: Row) -> dict[str, Any]:
    record = {"rank": row.rank, "item": json_id(row.item), "title": row.title, "score": row.score}
    record["source"] = row.source
    if row.because is not None:
        record["because"] = _named(json_id, row.because)
    return record


def _named(name: Callable[[Id], Any], reasons: Reasons) -> list[dict[str, Any]]:
    return [{"item": name(of), "contribution": float(by)} for of, by in reasons]
