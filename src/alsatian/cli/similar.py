"""alsatian similar: what is like an item."""

from __future__ import annotations

from typing import Annotated

import typer

from alsatian.cli.lists import print_lists
from alsatian.cli.options import Json, Length, ModelFile, Where
from alsatian.cli.posters import PostersFile, check_page, with_page


def similar(
    file: ModelFile,
    items: Annotated[list[str], typer.Argument(metavar="ITEM", help="Items, by id or title.")],
    n: Length = 10,
    where: Where = None,
    posters: PostersFile = None,
    as_json: Json = False,
) -> None:
    """List the items most like an item.

    \b
    alsatian similar movies.model "Iron Man" -n 5
    alsatian similar movies.model "Iron Man" --posters similar.html
    """
    check_page(posters, file)
    from alsatian import store
    from alsatian.cli.titles import find_item

    model = store.load(file)
    asked = [find_item(model.fitted.data, item) for item in items]
    print_lists(with_page([model.similar(asked, n, where=where)], posters), as_json=as_json)
