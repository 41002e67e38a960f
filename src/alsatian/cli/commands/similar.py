"""alsatian similar: the items most similar to an item."""

from __future__ import annotations

from typing import Annotated

import typer

from alsatian.cli.options.common import Json, Length, ModelFile, Where
from alsatian.cli.posters_page import PostersFile, check_posters_page, write_posters_page
from alsatian.cli.print_lists import print_lists


def similar(
    file: ModelFile,
    items: Annotated[list[str], typer.Argument(metavar="ITEM", help="Items, by id or title.")],
    n: Length = 10,
    where: Where = None,
    posters: PostersFile = None,
    as_json: Json = False,
) -> None:
    """List the items most similar to an item.

    \b
    alsatian similar movies.model "Iron Man" -n 5
    alsatian similar movies.model "Iron Man" --posters similar.html
    """
    check_posters_page(posters, file)
    from alsatian.cli.item_lookup import find_item
    from alsatian.persistence import save_load

    model = save_load.load(file)
    item_ids = [find_item(model.fitted.data, item) for item in items]
    print_lists(write_posters_page([model.similar(item_ids, n, where=where)], posters), as_json=as_json)
