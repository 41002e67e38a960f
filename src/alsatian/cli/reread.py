"""Read the source of a model again, with the options stored in the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alsatian.cli.options.source import SourceOptions
from alsatian.cli.terminal import show_status

if TYPE_CHECKING:
    from alsatian.data.id_map import Id, IdMap
    from alsatian.data.interactions import Interactions
    from alsatian.ingest.extra_rows import ExtraRows
    from alsatian.models import Model


def reread_source(model: Model, source: str, extra_rows: ExtraRows | None = None) -> Interactions:
    """Read a source with the options of the model's source; add the titles and attributes of the model's catalog."""
    with show_status(f"reading {source}"):
        data = SourceOptions.from_model(model.data.recipe, source).load(source, extra_rows)
    if (min_rating := model.data.recipe.min_rating) is not None and data.recipe.min_rating is None:
        data = data.binarize(min_rating)
    return add_catalog(data, model.data, add_items=model.cold_items is not None)


def drop_user_attributes(settings: Any) -> Any:
    """Return the settings of a model and of its members without user_attributes.

    They need the table of users, which a model file does not store.
    """
    if isinstance(settings, list | tuple):
        return [drop_user_attributes(element) for element in settings]
    if not isinstance(settings, dict):
        return settings
    return {name: drop_user_attributes(value) for name, value in settings.items() if name != "user_attributes"}


def add_catalog(data: Interactions, model_data: Interactions, *, add_items: bool) -> Interactions:
    """Return the data with the titles and attributes of the model added where the source has none.

    add_items: also add the model's items without values, which are scored from their attributes.
    """
    from alsatian.data.catalog import Catalog

    if not model_data.catalog.columns or data.item_ids.kind != model_data.item_ids.kind:
        return data
    cells: dict[str, dict[Id, Any]] = {}
    for source_data in (model_data, data):  # the source takes precedence
        for name, column in source_data.catalog.columns.items():
            pairs = zip(source_data.item_ids.tolist(), column.tolist(), strict=True)
            cells.setdefault(name, {}).update({item: value for item, value in pairs if value is not None})
    data = _add_items(data, model_data.item_ids) if add_items else data
    items = data.item_ids.tolist()
    columns = {name: [values.get(item) for item in items] for name, values in cells.items()}
    return replace(data, catalog=Catalog.from_columns(data.item_ids, items, columns))


def _add_items(data: Interactions, new_ids: IdMap) -> Interactions:
    """Return the data with these items added."""
    import numpy as np

    from alsatian.data.id_map import IdMap

    item_ids = IdMap.from_ids([*data.item_ids.tolist(), *new_ids.tolist()], "item")
    rows, recipe = item_ids.rows(data.item_ids.tolist()), data.recipe
    if recipe.item_counts is not None:
        counts = np.zeros(len(item_ids), recipe.item_counts.dtype)
        counts[rows] = recipe.item_counts
        recipe = replace(recipe, item_counts=counts)
    by_user = replace(data.by_user, indices=rows[data.items], n_columns=len(item_ids))
    return replace(data, item_ids=item_ids, by_user=by_user, recipe=recipe)
