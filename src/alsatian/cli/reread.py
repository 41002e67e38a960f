"""The same model again: its source read as it was for the model, and its settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alsatian.cli.options.source import Reading
from alsatian.cli.terminal import busy

if TYPE_CHECKING:
    from alsatian.data.id_map import Id, Ids
    from alsatian.data.interactions import Interactions
    from alsatian.ingest.extra_rows import Beside
    from alsatian.models import Model


def read_again(model: Model, source: str, beside: Beside | None = None) -> Interactions:
    """Read a source as the model's was, with the titles and attributes that the model knows."""
    with busy(f"reading {source}"):
        data = Reading.again(model.data.recipe, source).load(source, beside)
    if (bound := model.data.recipe.at_least) is not None and data.recipe.at_least is None:
        data = data.likes(bound)
    return with_catalog(data, model.data, placing=model.placed_items is not None)


def without_users(settings: Any) -> Any:
    """Return settings of a model, and of its parts, that place no users: a model file keeps no table of them."""
    if isinstance(settings, list | tuple):
        return [without_users(one) for one in settings]
    if not isinstance(settings, dict):
        return settings
    return {name: without_users(value) for name, value in settings.items() if name != "user_attributes"}


def with_catalog(data: Interactions, known: Interactions, *, placing: bool) -> Interactions:
    """Give data that was read without titles and attributes those of the model.

    placing: and the model's items that it has no values of, to be placed by attributes.
    """
    from alsatian.data.catalog import Catalog

    if not known.catalog.columns or data.item_ids.kind != known.item_ids.kind:
        return data
    cells: dict[str, dict[Id, Any]] = {}
    for side in (known, data):  # what was read comes before what the model remembers
        for name, column in side.catalog.columns.items():
            pairs = zip(side.item_ids.tolist(), column.tolist(), strict=True)
            cells.setdefault(name, {}).update({item: value for item, value in pairs if value is not None})
    data = _with_items(data, known.item_ids) if placing else data
    items = data.item_ids.tolist()
    columns = {name: [values.get(item) for item in items] for name, values in cells.items()}
    return replace(data, catalog=Catalog.from_columns(data.item_ids, items, columns))


def _with_items(data: Interactions, others: Ids) -> Interactions:
    """Return the data with these items, too."""
    import numpy as np

    from alsatian.data.id_map import Ids

    item_ids = Ids.of([*data.item_ids.tolist(), *others.tolist()], "item")
    rows, recipe = item_ids.rows(data.item_ids.tolist()), data.recipe
    if recipe.item_counts is not None:
        counts = np.zeros(len(item_ids), recipe.item_counts.dtype)
        counts[rows] = recipe.item_counts
        recipe = replace(recipe, item_counts=counts)
    by_user = replace(data.by_user, indices=rows[data.items], columns=len(item_ids))
    return replace(data, item_ids=item_ids, by_user=by_user, recipe=recipe)
