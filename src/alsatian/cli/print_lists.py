"""Ranked lists on standard output: as tables, or one line of JSON per list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alsatian.cli.terminal import make_console, print_table

if TYPE_CHECKING:
    from alsatian.recommender.recommendations import Recommendations


def print_lists(results: Iterable[Recommendations], *, as_json: bool) -> int:
    """Print every list and return the number of lists."""
    count = 0
    for recommendations in results:
        if as_json:
            for line in recommendations.to_json_lines():
                print(line)
        else:
            _print_tables(recommendations, first=count == 0)
        count += len(recommendations.queries)
    return count


def _print_tables(recommendations: Recommendations, *, first: bool) -> None:
    """Print each list as a separate table."""
    for index in range(len(recommendations.queries)):
        if index or not first:
            print()
        print_table(make_console(), recommendations[index].table(limit=None))
