"""Ranked lists on standard output: tables for people, a line of JSON per list for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alsatian.cli.terminal import console, draw

if TYPE_CHECKING:
    from alsatian.recommender.recommendations import Recommendations


def print_lists(answers: Iterable[Recommendations], *, as_json: bool) -> int:
    """Print every list and return how many there were."""
    lists = 0
    for answer in answers:
        if as_json:
            for line in answer.to_json_lines():
                print(line)
        else:
            _print_tables(answer, first=lists == 0)
        lists += len(answer.queries)
    return lists


def _print_tables(answer: Recommendations, *, first: bool) -> None:
    """Print each list as a table of its own."""
    for at in range(len(answer.queries)):
        if at or not first:
            print()
        draw(console(), answer[at].table(most=None))
