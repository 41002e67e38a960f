"""alsatian report: data, models and what they recommend, as one page to show to others."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration, size
from alsatian.cli.commands.evaluate import (
    Against,
    At,
    Bootstrap,
    Likes,
    Measures,
    Names,
    Seed,
    Splits,
    check_splits,
    splits_of,
    suggested,
    with_settings,
)
from alsatian.cli.commands.train import Settings, tell_reading
from alsatian.cli.options.common import Json, Source, Threads
from alsatian.cli.options.output import check_extra
from alsatian.cli.options.source import Reading, with_reading
from alsatian.cli.terminal import Facts, busy, print_json
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

_PASSWORDS = re.compile(r"(?<=://)([^/\s:@]*):\S+(?=@)"), re.compile(r"(?i)(password|passwd|pwd)=[^&;\s'\"]+")

Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the page; ends in .html.")]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", metavar="FILE", help="A search to show, of `alsatian tune --study`; its best model joins."),
]
EyeUsers = Annotated[
    list[str], typer.Option("--eye-user", metavar="ID", help="A user of the eye test; repeat for more. Else some.")
]
EyeItems = Annotated[
    list[str],
    typer.Option("--eye-item", metavar="ITEM", help="An item of the eye test, by id or title; repeat. Else some."),
]


@with_reading()
def report(
    context: typer.Context,
    source: Source,
    reading: Reading,
    output: Output,
    models: Names = [],  # noqa: B006
    split: Splits = ["per-user:10"],  # noqa: B006
    at: At = [10],  # noqa: B006
    metrics: Measures = [],  # noqa: B006
    settings: Settings = [],  # noqa: B006
    likes: Likes = None,
    against: Against = "popularity",
    bootstrap: Bootstrap = 2000,
    study: StudyFile = None,
    eye_users: EyeUsers = [],  # noqa: B006
    eye_items: EyeItems = [],  # noqa: B006
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Show data, models, search and an eye test on one HTML page.

    The page needs no other file and no network. Posters come from TMDB if TMDB_API_KEY is set, else they are drawn.

    \b
    alsatian report ratings.csv --items movies.csv --likes 4 -o report.html
    alsatian report ratings.csv -o report.html --model implicit-als --model item-knn --eye-user 42
    alsatian report ratings.csv -o report.html --study ratings.study --eye-item "Toy Story"
    """
    from alsatian.evaluation.metric_registry import asked
    from alsatian.reporting.builder import check_libraries

    begun = time.perf_counter()
    reading.check()
    _check_page(output, source, reading, study)
    entered = with_settings(models, settings)
    asked(metrics or None, at)
    check_splits(split, source, reading)
    check_libraries(study)
    facts = Facts(stderr=as_json)
    with busy(f"reading {source}"):
        data = reading.load(source)
    tell_reading(facts, source, data)
    users, items = _shown(data, eye_users, eye_items)
    entered = entered or with_settings(suggested(facts, data, likes), settings)
    made, trouble = _made(
        data, entered, split=splits_of(split, source, data, seed), at=at, metrics=metrics or None, reference=against,
        likes=likes, bootstrap=bootstrap, study=study, users=users, items=items, title=_title(source),
        command=_command(context), seed=seed, threads=threads,
    )  # fmt: skip
    made.save(output)
    for line in [trouble] if trouble else []:
        facts.say("note", line)
    seconds = time.perf_counter() - begun
    facts.say("saved", f"{output}, {size(output.stat().st_size)}; {duration(seconds)} in all")
    if as_json:
        print_json({"source": source, "file": str(output), **made.evaluation.record(), "seconds": seconds})


def _check_page(output: Path, source: str, reading: Reading, study: Path | None) -> None:
    """Raise ParameterError where the page cannot be written, before any work."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"-o {output} is a page; end its name with .html.")
    check_extra(output, "-o", "report.html", source, reading.items, reading.users, study)


def _shown(data: Interactions, users: list[str], items: list[str]) -> tuple[list[Any] | None, list[Any] | None]:
    """Return whom and what the eye test shows, as ids; None for what nobody said."""
    from alsatian.cli.item_lookup import find_item

    people = [data.user_ids.id_of(data.user_ids.row(data.user_ids.parse(user))) for user in users]
    return people or None, [find_item(data, item) for item in items] or None


def _made(data: Interactions, models: Any, **asked: Any) -> tuple[Any, str]:
    """Make the page, and say why its posters are drawn, where there are films."""
    from alsatian.posters import Posters
    from alsatian.reporting import report

    posters = Posters(offline=not data.catalog.titles)  # where there are no titles, there is nothing to ask for
    made = report(data, models, posters=posters, **asked)
    return made, f"posters are drawn: {posters.trouble}" if posters.trouble and data.catalog.titles else ""


def _title(source: str) -> str:
    """Return what a source is called: the name of its file or folder, or of its database."""
    return Path(_masked(source).partition("?")[0]).resolve().name or source


def _command(context: typer.Context) -> str:
    """Return the command line that is run, without the password of a database."""
    return _masked(shlex.join(["alsatian", *context.find_root().obj]))


def _masked(text: str) -> str:
    """Leave passwords out of addresses of databases.

    >>> _masked("postgresql://me:p@ss@host/db?password=secret&user=me")
    'postgresql://me:…@host/db?password=…&user=me'
    """
    address, named = _PASSWORDS
    return named.sub(r"\1=…", address.sub(r"\1:…", text))
