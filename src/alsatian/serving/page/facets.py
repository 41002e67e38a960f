"""What the page offers to filter by: the columns of the catalog of which a person can make something."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alsatian.data.catalog import TITLE, Catalog
from alsatian.data.title_search import year_of

MOST_CHOICES, MOST_FACETS = 40, 4
YES_NO = ("yes", "no")
_BARE_ID = re.compile(r"(?i)(^|_)id$|[a-z]Id$|^(imdb|tmdb|url|uri|tconst)")


@dataclass(frozen=True)
class Facet:
    """One filter. choices: what it can be; none where it has a lowest and a highest number.

    name: as in the address; column: as in the catalog ("" for the decade in a title).
    """

    name: str
    label: str
    column: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    several: bool = False  # a cell may hold several of the choices, parted by "|"


def facets_of(catalog: Catalog) -> list[Facet]:
    """Return the filters that a catalog allows, at most a few."""
    found = [_facet(name, column.type, column.tolist()) for name, column in catalog.columns.items() if name != TITLE]
    given = [facet for facet in found if facet is not None]
    if not any(facet.label.lower() == "year" for facet in given):
        given += _decades(catalog.titles)
    return given[:MOST_FACETS]


def condition(facets: Sequence[Facet], chosen: Sequence[tuple[str, str]]) -> str | None:
    """Return what was chosen as a condition for `where`, or None where nothing was."""
    given = dict(chosen)
    tests = [test for facet in facets for test in _tests(facet, given)]
    return " and ".join(tests) or None


def _facet(name: str, kind: str, values: list[Any]) -> Facet | None:
    if _BARE_ID.search(name):
        return None
    label, key = name.replace("_", " "), f"by-{name}"
    present = [value for value in values if value is not None]
    if kind == "bool":
        return Facet(key, label, name, YES_NO)
    if kind in ("int64", "float64"):
        low, high = (min(present), max(present)) if present else (0, 0)
        return Facet(key, label, name, bounds=(low, high)) if low < high else None
    parts = Counter(part for value in present for part in set(str(value).split("|")) if part and part[0] != "(")
    if not 2 <= len(parts) <= MOST_CHOICES or max(map(len, parts)) > 40:
        return None
    return Facet(key, label, name, tuple(sorted(parts)), several=any("|" in str(value) for value in present))


def _decades(titles: Sequence[str | None]) -> list[Facet]:
    years = [year for title in titles if title and (year := year_of(title))]
    if not years or len(years) < len(titles) / 2:
        return []
    decades = sorted({year // 10 for year in years}, reverse=True)
    return [Facet("by-decade", "decade", "", tuple(f"{decade}0s" for decade in decades))]


def _tests(facet: Facet, given: dict[str, str]) -> list[str]:
    """Return what was chosen of one filter, as tests."""
    column = '"' + facet.column.replace('"', '""') + '"'
    if facet.bounds:
        ends = ((">=", f"{facet.name}-from"), ("<=", f"{facet.name}-to"))
        return [
            f"{column} {sign} {number:.12g}" for sign, key in ends if (number := _number(given.get(key))) is not None
        ]
    choice = given.get(facet.name, "")
    if choice not in facet.choices:
        return []
    if not facet.column:
        return [f"title like '%({choice[:3]}_%)'"]  # "1990s"
    if facet.choices == YES_NO:
        return [f"{column} = {'true' if choice == 'yes' else 'false'}"]
    text = choice.replace("'", "''")
    patterns = (f"{text}|%", f"%|{text}|%", f"%|{text}") if facet.several else ()
    tests = [f"{column} = '{text}'", *(f"{column} like '{pattern}'" for pattern in patterns)]
    return [f"({' or '.join(tests)})"]


def _number(written: str | None) -> float | None:
    try:
        number = float(written or "")
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None
