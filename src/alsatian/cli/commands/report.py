"""alsatian report: write data, models and sample lists to one shareable HTML page."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import choose_default_models, print_read_summary
from alsatian.cli.options.common import Json, Seed, SourceArgument, Threads
from alsatian.cli.options.evaluation import (
    BaselineOption,
    BootstrapDraws,
    EvaluateMinRating,
    ListLengths,
    MetricNames,
    ModelNames,
    SplitNames,
    check_splits,
    make_splits,
)
from alsatian.cli.options.model import ModelSettings, models_from_names
from alsatian.cli.options.output import check_extra_output
from alsatian.cli.options.source import SourceOptions, with_source_options
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

_PASSWORD_PATTERNS = re.compile(r"(?<=://)([^/\s:@]*):\S+(?=@)"), re.compile(r"(?i)(password|passwd|pwd)=[^&;\s'\"]+")

ReportOutput = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="The page to write; FILE must end in .html.")
]
ReportStudyFile = Annotated[
    Path | None,
    typer.Option(
        "--study",
        metavar="FILE",
        help="A study file of `alsatian tune` to show. Its best model is added to the table.",
    ),
]
SampleUsers = Annotated[
    list[str],
    typer.Option(
        "--sample-user", metavar="ID", help="A user whose lists to show; repeat for more. Default: three users."
    ),
]
SampleItems = Annotated[
    list[str],
    typer.Option(
        "--sample-item",
        metavar="ITEM",
        help="An item whose similar items to show, by id or title; repeat for more. Default: three items.",
    ),
]


@with_source_options()
def write_report(
    context: typer.Context,
    source: SourceArgument,
    reading: SourceOptions,
    output: ReportOutput,
    models: ModelNames = [],  # noqa: B006
    split: SplitNames = ["per-user:10"],  # noqa: B006
    at: ListLengths = [10],  # noqa: B006
    metrics: MetricNames = [],  # noqa: B006
    settings: ModelSettings = [],  # noqa: B006
    min_rating: EvaluateMinRating = None,
    baseline: BaselineOption = "popularity",
    bootstrap: BootstrapDraws = 2000,
    study: ReportStudyFile = None,
    sample_users: SampleUsers = [],  # noqa: B006
    sample_items: SampleItems = [],  # noqa: B006
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Write data, models, search and sample lists to one HTML page.

    The page needs no other file and no network. If the report fails, an existing file is not overwritten. Posters come
    from TMDB if TMDB_API_KEY is set; otherwise they are drawn.

    \b
    alsatian report ratings.csv --items movies.csv --min-rating 4 -o report.html
    alsatian report ratings.csv -o report.html --model implicit-als --model item-knn --sample-user 42
    alsatian report ratings.csv -o report.html --study ratings.study --sample-item "Toy Story"
    """
    from alsatian.evaluation.metric_registry import parse_metrics
    from alsatian.posters import Posters
    from alsatian.reporting.builder import ReportOptions, build_report, check_libraries

    start = time.perf_counter()
    reading.check()
    _check_report_output(output, source, reading, study)
    candidates = models_from_names(models, settings)
    parse_metrics(metrics or None, at)
    check_splits(split, source, reading)
    check_libraries(study)
    summary = Summary(stderr=as_json)
    with show_status(f"reading {source}"):
        data = reading.load(source)
    print_read_summary(summary, source, data)
    users, items = _sample_ids(data, sample_users, sample_items)
    candidates = candidates or models_from_names(choose_default_models(summary, data, min_rating), settings)
    posters = Posters(offline=not data.catalog.titles)  # without titles there is nothing to search TMDB for
    options = ReportOptions(
        split=make_splits(split, source, data, seed), at=at, metrics=metrics or None, baseline=baseline,
        min_rating=min_rating, bootstrap=bootstrap, study=study, users=users, items=items, posters=posters,
        title=source_title(source), seed=seed, threads=threads, command=_command_line(context),
    )  # fmt: skip
    page = build_report(candidates, data, options)
    page.save(output)
    if posters.unavailable_reason and data.catalog.titles:
        summary.line("note", f"posters are drawn: {posters.unavailable_reason}")
    seconds = time.perf_counter() - start
    summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}; {format_duration(seconds)} in all")
    if as_json:
        print_json({"source": source, "file": str(output), **page.evaluation.record(), "seconds": seconds})


def _check_report_output(output: Path, source: str, reading: SourceOptions, study: Path | None) -> None:
    """Raise ParameterError if the page cannot be written, before any work."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"-o {output} must end in .html.")
    check_extra_output(output, "-o", "report.html", source, reading.items, reading.users, study)


def _sample_ids(data: Interactions, users: list[str], items: list[str]) -> tuple[list[Any] | None, list[Any] | None]:
    """Return the ids of the users and items to show; None if no option names any."""
    from alsatian.cli.item_lookup import find_item

    user_ids = [data.user_ids.id_of(data.user_ids.row(data.user_ids.parse(user))) for user in users]
    return user_ids or None, [find_item(data, item) for item in items] or None


def source_title(source: str) -> str:
    """Return the name of the file, folder or database of a source."""
    return Path(_mask_passwords(source).partition("?")[0]).resolve().name or source


def _command_line(context: typer.Context) -> str:
    """Return the command line of this run, without passwords of databases."""
    return _mask_passwords(shlex.join(["alsatian", *context.find_root().obj]))


def _mask_passwords(text: str) -> str:
    """Remove passwords from database URLs.

    >>> _mask_passwords("postgresql://me:p@ss@host/db?password=secret&user=me")
    'postgresql://me:…@host/db?password=…&user=me'
    """
    url_pattern, field_pattern = _PASSWORD_PATTERNS
    return field_pattern.sub(r"\1=…", url_pattern.sub(r"\1:…", text))
