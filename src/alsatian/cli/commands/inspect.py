"""alsatian inspect: profile a source, check it for problems, and estimate the cost of a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration, format_number
from alsatian.cli.options.common import Json, SourceArgument, Threads
from alsatian.cli.options.source import SourceOptions, with_source_options
from alsatian.cli.terminal import Summary, format_bar, print_json, show_status
from alsatian.errors import ParameterError, pluralize

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

_BAR_WIDTH = 30
_DEFAULT_FACTORS = 64


@with_source_options(exclude=("bad_rows",))
def inspect(
    source: SourceArgument,
    reading: SourceOptions,
    factors: Annotated[
        int, typer.Option("--factors", metavar="N", help="Estimate the cost of a fit with this many factors.")
    ] = _DEFAULT_FACTORS,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Profile data, list its problems, estimate the cost of a fit.

    For a model file: show the model and the data it was fitted to.

    \b
    alsatian inspect ratings.csv --items movies.csv
    alsatian inspect movies.model
    """
    from alsatian.persistence.container import is_model_file

    path = Path(source)
    if is_model_file(path) or (path.suffix == ".model" and path.exists()):
        from alsatian.cli.model_summary import print_model

        reading.reject_options(f"{source} is a model", factors=factors != _DEFAULT_FACTORS, threads=threads is not None)
        print_model(path, as_json=as_json)
        return
    if factors < 1:
        raise ParameterError(f"--factors {factors} is out of bounds; pass 1 or more.")
    from alsatian.cli.cost_estimate import estimate_cost
    from alsatian.inspection.data_checks import find_problems
    from alsatian.inspection.profile import profile

    with show_status(f"reading {source}"):
        data = replace(reading, bad_rows="skip").load(source)
    with show_status("measuring"):
        record = profile(data) | {"problems": find_problems(data), "estimate": estimate_cost(data, factors, threads)}
    if as_json:
        print_json({"source": source} | record)
    else:
        _print_profile(source, data, record)


def _print_profile(source: str, data: Interactions, record: dict[str, Any]) -> None:
    summary = Summary()
    summary.line("source", f"{source}: {pluralize(record['rows']['read'], 'row')}")
    if data.recipe.columns:
        summary.line("columns", ", ".join(f"{role}: {name}" for role, name in data.recipe.columns.items() if name))
    counts = f"{pluralize(record['users'], 'user')} and {pluralize(record['items'], 'item')}"
    summary.line(
        "data", f"{pluralize(record['values'], 'value')} of {counts}, {_format_percent(record['density'])} of all pairs"
    )
    if record["time"]:
        summary.line("time", f"{record['time']['first']} to {record['time']['last']}")
    for note in data.report.notes:
        summary.line("note", note)
    _print_histogram(summary, record["histogram"], record["values"])
    per_side = {side: record[f"per_{side}"] for side in ("user", "item")}
    statistics = {name: [f"{per_side[side][name]:,}" for side in per_side] for name in per_side["user"]}
    summary.blank_line()
    summary.table("", {"values per": list(per_side)} | statistics, right=list(statistics))
    _print_popular(summary, record["popular"])
    summary.blank_line()
    for problem in record["problems"] or ["none found"]:
        summary.line("problem", problem)
    summary.line("fit cost", _format_cost(record["estimate"]))


def _format_cost(cost: dict[str, Any]) -> str:
    effort = f"{cost['epochs']} epochs, {pluralize(cost['threads'], 'thread')}"
    return (
        f"{cost['model']} with {pluralize(cost['factors'], 'factor')}: about {format_duration(cost['seconds'])} "
        f"({effort}), {format_bytes(cost['memory_bytes'])} of memory, a file of {format_bytes(cost['file_bytes'])}"
    )


def _format_percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{100 * share:.2g}%"


def _print_histogram(summary: Summary, bins: list[dict[str, Any]], values: int) -> None:
    max_count = max(bucket["count"] for bucket in bins)
    bounds = [(format_number(bucket["from"]), format_number(bucket["to"])) for bucket in bins]
    columns = {
        "value": [low if low == high else f"{low} to {high}" for low, high in bounds],
        "count": [f"{bucket['count']:,}" for bucket in bins],
        "share": [f"{bucket['count'] / values:.1%}" for bucket in bins],
        "": [format_bar(bucket["count"] / max_count, _BAR_WIDTH) for bucket in bins],
    }
    summary.blank_line()
    summary.table("", columns, right=("value", "count", "share"))


def _print_popular(summary: Summary, popular: list[dict[str, Any]]) -> None:
    columns = {
        "values": [f"{item['count']:,}" for item in popular],
        "most popular": [str(item["item"]) for item in popular],
    }
    if any(item["title"] for item in popular):
        columns["title"] = [item["title"] or "" for item in popular]
    summary.blank_line()
    summary.table("", columns, right=("values",))
