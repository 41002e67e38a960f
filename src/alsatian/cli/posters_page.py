"""The option --posters of `similar` and `recommend`: the lists as an HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian.cli.terminal import note_stderr
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.recommender.recommendations import Recommendations

PostersFile = Annotated[
    Path | None,
    typer.Option(
        "--posters",
        metavar="FILE",
        help="Also write the lists to an HTML page with posters: from TMDB if TMDB_API_KEY is set, else drawn.",
    ),
]


def check_posters_page(path: Path | None, *inputs: str | Path) -> None:
    """Raise ParameterError or DependencyError if the page cannot be written, before any work."""
    from alsatian.cli.options.output import check_extra_output

    if path is not None:
        if path.suffix.lower() not in (".html", ".htm"):
            raise ParameterError(f"--posters {path} must end in .html.")
        check_extra_output(path, "--posters", "list.html", *inputs)
        from alsatian.visual.html import import_jinja

        import_jinja()


def write_posters_page(results: Iterable[Recommendations], path: Path | None) -> Iterator[Recommendations]:
    """Yield the lists unchanged; at the end write them to a page if a path is given."""
    if path is None:
        yield from results
        return
    from alsatian._util.atomic_write import write_atomic
    from alsatian.posters import Posters, page

    lists = list(results)
    yield from lists
    posters = Posters()
    write_atomic(path, page(lists, posters).encode())
    note = f"; posters are drawn: {posters.unavailable_reason}" if posters.unavailable_reason else ""
    note_stderr(f"wrote {path} with posters{note}")
