"""The filters of the page, built from the columns of the catalog that a reader can understand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alsatian.data.catalog import TITLE, Catalog
from alsatian.data.title_search import year_in_title

MAX_CHOICES, MAX_FACETS = 40, 4
YES_NO_CHOICES = ("yes", "no")
_ID_COLUMN_NAME = re.compile(r"(?i)(^|_)id$|[a-z]Id$|^(imdb|tmdb|url|uri|tconst)")


@dataclass(frozen=True)
class Facet:
    """A filter. choices: its values; empty for a numeric column, which has bounds.

    name: in the URL; column: in the catalog ("" for the decade in a title).
    """

    name: str
    label: str
    column: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    is_multi_valued: bool = False  # a cell may contain several of the choices, separated by "|"


def build_facets(catalog: Catalog) -> list[Facet]:
    """Return the filters for a catalog, at most MAX_FACETS."""
    candidates = [
        _column_facet(name, column.type, column.tolist()) for name, column in catalog.columns.items() if name != TITLE
    ]
    facets = [facet for facet in candidates if facet is not None]
    if not any(facet.label.lower() == "year" for facet in facets):
        facets += _decade_facet(catalog.titles)
    return facets[:MAX_FACETS]


def facets_to_where(facets: Sequence[Facet], filters: Sequence[tuple[str, str]]) -> str | None:
    """Return the selected filters as a condition for `where`; None if no filter is selected."""
    values = dict(filters)
    tests = [test for facet in facets for test in _facet_tests(facet, values)]
    return " and ".join(tests) or None


def _column_facet(name: str, kind: str, values: list[Any]) -> Facet | None:
    if _ID_COLUMN_NAME.search(name):
        return None
    label, key = name.replace("_", " "), f"by-{name}"
    present_values = [value for value in values if value is not None]
    if kind == "bool":
        return Facet(key, label, name, YES_NO_CHOICES)
    if kind in ("int64", "float64"):
        low, high = (min(present_values), max(present_values)) if present_values else (0, 0)
        return Facet(key, label, name, bounds=(low, high)) if low < high else None
    choice_counts = Counter(
        part for value in present_values for part in set(str(value).split("|")) if part and part[0] != "("
    )
    if not 2 <= len(choice_counts) <= MAX_CHOICES or max(map(len, choice_counts)) > 40:
        return None
    return Facet(
        key,
        label,
        name,
        tuple(sorted(choice_counts)),
        is_multi_valued=any("|" in str(value) for value in present_values),
    )


def _decade_facet(titles: Sequence[str | None]) -> list[Facet]:
    years = [year for title in titles if title and (year := year_in_title(title))]
    if not years or len(years) < len(titles) / 2:
        return []
    decades = sorted({year // 10 for year in years}, reverse=True)
    return [Facet("by-decade", "decade", "", tuple(f"{decade}0s" for decade in decades))]


def _facet_tests(facet: Facet, values: dict[str, str]) -> list[str]:
    """Return the selection of one filter, as tests of a condition."""
    column = '"' + facet.column.replace('"', '""') + '"'
    if facet.bounds:
        bounds = ((">=", f"{facet.name}-from"), ("<=", f"{facet.name}-to"))
        return [
            f"{column} {sign} {number:.12g}"
            for sign, key in bounds
            if (number := _parse_bound(values.get(key))) is not None
        ]
    choice = values.get(facet.name, "")
    if choice not in facet.choices:
        return []
    if not facet.column:
        return [f"title like '%({choice[:3]}_%)'"]  # "1990s"
    if facet.choices == YES_NO_CHOICES:
        return [f"{column} = {'true' if choice == 'yes' else 'false'}"]
    text = choice.replace("'", "''")
    return [f"{column} {'has' if facet.is_multi_valued else '='} '{text}'"]


def _parse_bound(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None
