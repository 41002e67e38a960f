"""Fuzzy search by title: normalize titles and queries, and score their similarity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\s*$")  # "Up (2009)", "Lost (2004-2010)"
_LAST_YEAR = re.compile(r"^(.*\S)[\s,]+((?:18|19|20)\d\d)$")  # "up 2009"
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ALIAS = re.compile(r"^\s*(?:a\.?\s?k\.?\s?a\.?:?|also known as)\s+", re.IGNORECASE)
_MOVED_ARTICLE = re.compile(  # "Matrix, The", "Boot, Das", "Fabuleux destin d'Amélie Poulain, Le"
    r"^(.+), (the|an?|l[aeo]s?|l'|les|der|die|das|el|il|gli|une?|uno|una|een|det|den|os?|as)$", re.IGNORECASE
)
_APOSTROPHE = re.compile(r"['’`´]")
_SEPARATORS = re.compile(r"[\W_]+")
_ROMAN = {
    "ii": "2",
    "iii": "3",
    "iv": "4",
    "v": "5",
    "vi": "6",
    "vii": "7",
    "viii": "8",
    "ix": "9",
    "x": "10",
}

_QueryVariant = tuple[str, int | None]  # a normalized name, and the year if the query has one

_MIN_SCORE = 60.0  # a similarity below this is chance
_WRONG_YEAR_PENALTY = 8.0  # subtracted if the query has a year and the title has another


@dataclass(frozen=True)
class Match:
    """An item found by a search. score: 60 to 100; 100 for an equal title."""

    row: int
    title: str
    score: float


def year_in_title(title: str) -> int | None:
    """Return the year at the end of a title, or None.

    >>> year_in_title("Iron Man (2008)")
    2008
    """
    match = _YEAR.search(title)
    return int(match[1]) if match else None


def normalize_title(name: str) -> str:
    """Normalize a name (a title without its year) for comparison.

    >>> tuple(map(normalize_title, ("Schindler's List", "Matrix, The", "Rocky II", "WALL·E")))
    ('schindlers list', 'matrix', 'rocky 2', 'wall e')
    """
    match = _MOVED_ARTICLE.match(name.strip()) if "," in name else None
    text = f"{match[2]} {match[1]}" if match else name
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    words = _SEPARATORS.sub(" ", _APOSTROPHE.sub("", text.casefold().replace("&", " and "))).split()
    if len(words) > 1 and words[0] in ("the", "a", "an"):
        words = words[1:]
    return " ".join(_ROMAN.get(word, word) for word in words) or name.strip().casefold()


def title_without_year(title: str) -> str:
    """Return a title without its year and aliases, and with its article in front.

    >>> tuple(map(title_without_year, ("Matrix, The (1999)", "Seven (a.k.a. Se7en) (1995)", "Avventura, L' (1960)")))
    ('The Matrix', 'Seven', "L'Avventura")
    """
    name = _BRACKETS.sub(" ", _YEAR.sub("", title)).strip() or title
    if match := _MOVED_ARTICLE.match(name):
        name = (match[2] if match[2].endswith("'") else f"{match[2]} ") + match[1]
    return " ".join(name.split())


def title_variants(title: str) -> list[str]:
    """Return the normalized names in a title; text in brackets is a separate name.

    >>> title_variants("Seven (a.k.a. Se7en) (1995)")
    ['seven', 'se7en', 'seven a k a se7en']
    """
    name = _YEAR.sub("", title)
    if "(" not in name:
        return [normalize_title(name)] if name.strip() else []
    parts = [_BRACKETS.sub(" ", name), *(_ALIAS.sub("", part) for part in _BRACKETS.findall(name)), name]
    return list(dict.fromkeys(normalize_title(part) for part in parts if part.strip()))


class TitleIndex:
    """An index of the names of all items. They are normalized once, so that a search takes milliseconds."""

    def __init__(self, titles: Sequence[str | None]) -> None:
        self._titles = titles
        pairs = [(name, row) for row, title in enumerate(titles) if title for name in title_variants(title)]
        self._names = [name for name, _ in pairs]
        self._padded = [f" {name} " for name in self._names]
        self._without_spaces = [name.replace(" ", "") for name in self._names]
        self._lengths = np.array([len(name) for name in self._names], np.int64)
        self._rows = np.array([row for _, row in pairs], np.int64)
        self._years = np.array([year_in_title(title or "") or 0 for title in titles], np.int64)

    def find(self, title: str) -> int | None:
        """Return the row of the only item whose normalized title equals `title`; None if there is none or several."""
        exact = self._rows_by_title.get(title, [])
        if len(exact) == 1:
            return exact[0]
        for name, year in _query_variants(title):
            candidates = {row for row in self._rows_by_name.get(name, []) if year is None or year == self._years[row]}
            if len(candidates) == 1:
                return int(candidates.pop())
        return None

    @cached_property
    def _rows_by_title(self) -> dict[str | None, list[int]]:
        return _group_rows(enumerate(self._titles))

    @cached_property
    def _rows_by_name(self) -> dict[str | None, list[int]]:
        return _group_rows(zip(self._rows.tolist(), self._names, strict=True))

    def search(self, query: str, weights: ArrayLike | None = None, limit: int = 5) -> list[Match]:
        """Return the items whose titles are most similar to `query`, best first; the larger weight breaks ties."""
        if not self._names or not query.strip():
            return []
        variants = list(_query_variants(query))
        scores = self._best_scores(self._containment_scores, variants)
        if not scores.any():  # mistyped
            scores = self._best_scores(self._fuzzy_scores, variants)
        best = np.zeros(len(self._titles))
        np.maximum.at(best, self._rows, scores)
        length = np.full(len(self._titles), np.iinfo(np.int64).max)
        np.minimum.at(length, self._rows, np.where(scores == best[self._rows], self._lengths, length[0]))
        rows = np.flatnonzero(best >= _MIN_SCORE)
        tie_weights = np.zeros(len(best)) if weights is None else np.asarray(weights, np.float64)
        order = rows[np.lexsort((rows, length[rows], -tie_weights[rows], -best[rows]))][:limit]
        return [Match(row, self._titles[row] or "", float(best[row])) for row in order.tolist()]

    def _best_scores(
        self, score: Callable[[str], NDArray[np.float64]], variants: list[_QueryVariant]
    ) -> NDArray[np.float64]:
        """Score every name by the best-matching variant of the query."""
        years, best = self._years[self._rows], np.zeros(len(self._names))
        for name, year in variants:
            is_other_year = np.zeros(len(best), bool) if year is None else years != year
            best = np.maximum(best, score(name) - _WRONG_YEAR_PENALTY * is_other_year)
        return best

    def _containment_scores(self, name: str) -> NDArray[np.float64]:
        """Score the names that contain the whole query: 78 to 100. Other names score 0."""
        scores = np.zeros(len(self._names))
        phrase, prefix, compact = f" {name} ", f" {name}", name.replace(" ", "")
        for index, padded in enumerate(self._padded):
            if phrase in padded:
                scores[index] = 100 if padded == phrase else 92 if padded.startswith(phrase) else 84
            elif prefix in padded:  # the last word is still being typed
                scores[index] = 82 if padded.startswith(prefix) else 78
            elif self._without_spaces[index].startswith(compact):  # "spiderman 2"
                scores[index] = 98 if self._without_spaces[index] == compact else 80
        return scores

    def _fuzzy_scores(self, name: str) -> NDArray[np.float64]:
        """Score every name by letters and words: 0 to 77, always below a name that contains the query."""
        from rapidfuzz import fuzz, process

        def score_all(scorer: Callable[..., Any]) -> NDArray[np.float64]:
            matrix = process.cdist([name], self._names, scorer=scorer, score_cutoff=70)
            return np.asarray(matrix[0], np.float64)

        likeness = np.maximum(score_all(fuzz.ratio), score_all(fuzz.token_sort_ratio))
        if len(name) > 4:  # a part of a long name may resemble a short query by chance
            partial = 0.95 * np.maximum(score_all(fuzz.partial_ratio), score_all(fuzz.token_set_ratio))
            likeness = np.maximum(likeness, np.where(self._lengths >= 0.6 * len(name), partial, 0))
        return np.round(0.77 * likeness)  # rounded, so that weights decide between nearly equal scores


def _group_rows(rows: Iterable[tuple[int, str | None]]) -> dict[str | None, list[int]]:
    """Return the rows of each name."""
    rows_by_key: dict[str | None, list[int]] = {}
    for row, name in rows:
        rows_by_key.setdefault(name, []).append(row)
    return rows_by_key


def _query_variants(query: str) -> Iterator[_QueryVariant]:
    """Yield the query as a name, and if it ends in a year ("up 2009", "blade runner 2049"), as name and year."""
    yield normalize_title(_YEAR.sub("", query) or query), year_in_title(query)
    if match := _LAST_YEAR.match(query.strip()):
        yield normalize_title(match[1]), int(match[2])
