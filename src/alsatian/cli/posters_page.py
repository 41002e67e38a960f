"""Lists as a page with posters, beside what `similar` and `recommend` print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian.cli.terminal import aside
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.recommender.recommendations import Recommendations

PostersFile = Annotated[
    Path | None,
    typer.Option(
        "--posters",
        metavar="FILE",
        help="Also write the lists as an HTML page with posters: of TMDB if TMDB_API_KEY is set, else drawn.",
    ),
]


def check_page(path: Path | None, *inputs: str | Path) -> None:
    """Raise ParameterError where the page cannot be saved, before any work."""
    from alsatian.cli.options.output import check_extra

    if path is not None:
        if path.suffix.lower() not in (".html", ".htm"):
            raise ParameterError(f"--posters {path} is a page; end its name with .html.")
        check_extra(path, "--posters", "list.html", *inputs)
        from alsatian.visual.html import library

        library()


def with_page(answers: Iterable[Recommendations], path: Path | None) -> Iterator[Recommendations]:
    """Pass lists on, and write them as a page at the end if a path is given."""
    if path is None:
        yield from answers
        return
    from alsatian._util.atomic_write import write_whole
    from alsatian.posters import Posters, page

    kept = list(answers)
    yield from kept
    posters = Posters()
    write_whole(path, page(kept, posters).encode())
    why = f"; posters are drawn: {posters.trouble}" if posters.trouble else ""
    aside(f"{path} shows it with posters{why}")
