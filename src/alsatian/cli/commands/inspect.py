"""alsatian inspect: what is in a source, what is wrong with it, and what a fit will cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration, number, size
from alsatian.cli.options.common import Json, Source, Threads
from alsatian.cli.options.source import Reading, with_reading
from alsatian.cli.terminal import Facts, bar, busy, print_json
from alsatian.errors import ParameterError, counted

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

_BAR = 30
_FACTORS = 64


@with_reading(without=("bad_rows",))
def inspect(
    source: Source,
    reading: Reading,
    factors: Annotated[
        int, typer.Option("--factors", metavar="N", help="Estimate the cost of a fit with this many.")
    ] = _FACTORS,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Show what is in the data, what is wrong, what a fit costs.

    For a model file: what it is and what it was learned from.

    \b
    alsatian inspect ratings.csv --items movies.csv
    alsatian inspect movies.model
    """
    from alsatian.persistence.container import looks_like_model

    path = Path(source)
    if looks_like_model(path) or (path.suffix == ".model" and path.exists()):
        from alsatian.cli.commands.inspect_model import about_model

        reading.refuse(f"{source} is a model", factors=factors != _FACTORS, threads=threads is not None)
        about_model(path, as_json=as_json)
        return
    if factors < 1:
        raise ParameterError(f"--factors {factors} is too few for an estimate; pass 1 or more.")
    from alsatian.cli.cost_estimate import estimate
    from alsatian.inspection.data_checks import problems
    from alsatian.inspection.profile import profile

    with busy(f"reading {source}"):
        data = replace(reading, bad_rows="skip").load(source)
    with busy("measuring"):
        found = profile(data) | {"problems": problems(data), "estimate": estimate(data, factors, threads)}
    if as_json:
        print_json({"source": source} | found)
    else:
        _draw(source, data, found)


def _draw(source: str, data: Interactions, found: dict[str, Any]) -> None:
    facts = Facts()
    facts.say("source", f"{source}: {counted(found['rows']['read'], 'row')}")
    if data.recipe.columns:
        facts.say("columns", ", ".join(f"{role}: {name}" for role, name in data.recipe.columns.items() if name))
    sides = f"{counted(found['users'], 'user')} and {counted(found['items'], 'item')}"
    facts.say("data", f"{counted(found['values'], 'value')} of {sides}, {_percent(found['density'])} of all pairs")
    if found["time"]:
        facts.say("time", f"{found['time']['first']} to {found['time']['last']}")
    for note in data.report.notes:
        facts.say("note", note)
    _histogram(facts, found["histogram"], found["values"])
    per = {side: found[f"per_{side}"] for side in ("user", "item")}
    spread = {name: [f"{per[side][name]:,}" for side in per] for name in per["user"]}
    facts.gap()
    facts.table("", {"values per": list(per)} | spread, right=list(spread))
    _popular(facts, found["popular"])
    facts.gap()
    for problem in found["problems"] or ["none found"]:
        facts.say("problem", problem)
    facts.say("a fit", _cost(found["estimate"]))


def _cost(cost: dict[str, Any]) -> str:
    run = f"{cost['epochs']} epochs, {counted(cost['threads'], 'thread')}"
    return (
        f"of {cost['model']} at {counted(cost['factors'], 'factor')} takes about {duration(cost['seconds'])} "
        f"({run}) and {size(cost['memory_bytes'])} of memory; its file {size(cost['file_bytes'])}"
    )


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{100 * share:.2g}%"


def _histogram(facts: Facts, bins: list[dict[str, Any]], values: int) -> None:
    most = max(each["count"] for each in bins)
    ends = [(number(each["from"]), number(each["to"])) for each in bins]
    columns = {
        "value": [low if low == high else f"{low} to {high}" for low, high in ends],
        "count": [f"{each['count']:,}" for each in bins],
        "share": [f"{each['count'] / values:.1%}" for each in bins],
        "": [bar(each["count"] / most, _BAR) for each in bins],
    }
    facts.gap()
    facts.table("", columns, right=("value", "count", "share"))


def _popular(facts: Facts, popular: list[dict[str, Any]]) -> None:
    columns = {
        "values": [f"{each['count']:,}" for each in popular],
        "most popular": [str(each["item"]) for each in popular],
    }
    if any(each["title"] for each in popular):
        columns["title"] = [each["title"] or "" for each in popular]
    facts.gap()
    facts.table("", columns, right=("values",))
