"""Save and load a fitted model: what of it goes into the model file, and how it comes back.

The container (layout, digests, atomic writing) is `persistence/container.py`; here is its content: the learned arrays, the ids,
the catalog, and what each user has seen; in the header the model's name, parameters, recipe and summary.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import Text
from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR
from alsatian.data.id_map import Ids
from alsatian.data.interactions import Interactions, Report
from alsatian.data.recipe import Recipe
from alsatian.errors import ModelFileError, ParameterError
from alsatian.models import MODELS, Model
from alsatian.models.factors.ann_index import Measured, SimilarIndex
from alsatian.persistence import container
from alsatian.recommender.fit_run import Epoch

Arrays = dict[str, NDArray[Any]]


def save(model: Model, path: str | Path) -> None:
    """Write a fitted model as one file; a file that was there before stays whole if anything goes wrong.

    Raises NotFitted, ModelFileError.
    """
    if not isinstance(model, Model):
        raise ParameterError(f"save takes a fitted model, not a {type(model).__name__}.")
    data = model.fitted.data
    catalog, columns = data.catalog.to_arrays()
    arrays: Arrays = {f"learned.{name}": value for name in model.learned if (value := getattr(model, name)) is not None}
    arrays |= _ids_arrays(data.user_ids) | _ids_arrays(data.item_ids) | catalog
    seen = data.by_user
    arrays |= {"seen.indptr": seen.indptr, "seen.indices": seen.indices, "seen.values": seen.values}
    if seen.weights is not None:
        arrays["seen.weights"] = seen.weights
    if data.recipe.item_counts is not None:
        arrays["recipe.item_counts"] = data.recipe.item_counts
    header = {
        "model": model.name, "params": model.params, "ids": {"user": data.user_ids.kind, "item": data.item_ids.kind},
        "scale": list(data.scale), "recipe": data.recipe.to_json(), "report": data.report.to_json(), "catalog": columns,
        "training": model.training, "history": [epoch.to_json() for epoch in model.history],
    }  # fmt: skip
    if model.index is not None:
        arrays["index.cells"], header["index"] = model.index.stored, model.index.to_json()
    container.write(path, header, arrays)


def load(path: str | Path) -> Model:
    """Read a model file; its arrays are mapped into memory, so several processes share one copy.

    Raises ModelFileError for a file that is missing, damaged, of a newer format, or of an unknown model.
    """
    header, arrays = container.read(path)
    try:
        return _restored(header, arrays)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{path} is not a whole model ({error}); save the model again.") from error


def _restored(header: dict[str, Any], arrays: Arrays) -> Model:
    if header["model"] not in MODELS:
        raise ValueError(f"it holds a model {header['model']!r}, and this version knows {', '.join(MODELS)}")
    model = MODELS[header["model"]](**header["params"])
    users, items = (_ids_from(arrays, side, header["ids"][side]) for side in ("user", "item"))
    seen = CSR(
        arrays["seen.indptr"], arrays["seen.indices"], arrays["seen.values"], len(items), arrays.get("seen.weights")
    )  # fmt: skip
    _check(seen, len(users))
    counts = arrays.get("recipe.item_counts")
    _require("bm25" not in header["recipe"]["fitted"] or counts is not None, "the counts of items are missing")
    _require(counts is None or counts.shape == (len(items),), "the counts of items do not fit these")
    low, high = header["scale"]
    report = header["report"]
    data = Interactions(
        users, items, seen, (low, high), catalog=Catalog.from_arrays(header["catalog"], arrays),
        recipe=Recipe.from_json(header["recipe"], counts), report=Report(**report | {"notes": tuple(report["notes"])}),
    )  # fmt: skip
    learned = {name.removeprefix("learned."): array for name, array in arrays.items() if name.startswith("learned.")}
    history = [Epoch.from_json(epoch) for epoch in header["history"]]
    model.check_learned(data, learned)
    model.restore(data, learned, history, header["training"])
    model.index = _index(header.get("index"), arrays)
    return model


def _index(told: dict[str, Any] | None, arrays: Arrays) -> SimilarIndex | None:
    """Return the index of similar items, if there is one of a kind that is known here."""
    if told is None or told.keys() != {field.name for field in fields(Measured)} or "index.cells" not in arrays:
        return None
    return SimilarIndex(arrays["index.cells"], Measured(**told), arrays["learned.item_factors"].shape)


def _ids_arrays(ids: Ids) -> Arrays:
    if isinstance(ids.values, Text):
        return {f"{ids.what}_ids.data": ids.values.data, f"{ids.what}_ids.offsets": ids.values.offsets}
    return {f"{ids.what}_ids": ids.values}


def _ids_from(arrays: Arrays, what: Any, kind: str) -> Ids:
    if kind == "int":
        return Ids(arrays[f"{what}_ids"], what)
    text = Text(arrays[f"{what}_ids.data"], arrays[f"{what}_ids.offsets"])
    _require(_ascends(text.offsets, len(text.data)), f"the {what} ids do not fit together")
    return Ids(text, what)


def _check(seen: CSR, users: int) -> None:
    """Refuse rows that would lead a kernel outside its arrays."""
    entries = len(seen.indices)
    _require(seen.rows == users and _ascends(seen.indptr, entries), "the seen items do not fit the users")
    _require(len(seen.values) == entries, "the seen items and their values differ in number")
    inside = entries == 0 or (seen.indices.min() >= 0 and seen.indices.max() < seen.columns)
    _require(bool(inside), "a seen item has no id")


def _ascends(offsets: NDArray[Any], end: int) -> bool:
    return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == end and bool((np.diff(offsets) >= 0).all())


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)
