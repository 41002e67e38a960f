"""Save and load a fitted model.

The container (layout, digests, atomic writing) is `persistence/container.py`. Its content is defined here. The arrays
are the learned arrays, the ids, the catalog and the histories; the header has name, parameters, recipe and summary.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions, ReadReport
from alsatian.errors import ModelFileError, ParameterError
from alsatian.models import Model
from alsatian.models.factors.ann_index import IndexBenchmark, SimilarIndex
from alsatian.persistence import container
from alsatian.recommender.fit_run import Epoch
from alsatian.recommender.registry import model_class, model_names

ArrayDict = dict[str, NDArray[Any]]


def save(model: Model, path: str | Path) -> None:
    """Write a fitted model to one file. On any error, an existing file stays unchanged.

    Raises NotFitted, ParameterError for something that is not a model, ModelFileError if the file cannot be written.
    """
    if not isinstance(model, Model):
        raise ParameterError(f"save takes a fitted model, not a {type(model).__name__}; pass the result of fit().")
    data = model.fitted.data
    catalog, columns = data.catalog.to_arrays()
    arrays: ArrayDict = {
        f"learned.{name}": value for name in model.state_arrays if (value := getattr(model, name)) is not None
    }
    arrays |= _ids_to_arrays(data.user_ids) | _ids_to_arrays(data.item_ids) | catalog
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
        arrays["index.cells"], header["index"] = model.index.buffer, model.index.to_json()
    container.write_container(path, header, arrays)


def load(path: str | Path) -> Model:
    """Return the model of a file. The arrays are memory-mapped, so several processes share one copy.

    Raises ModelFileError for a file that is missing, damaged, of a newer format, or of an unknown model.
    """
    try:
        return _build_model(*container.read_container(path))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelFileError(f"{path} is not a complete model ({error}); save the model again.") from error


def _build_model(header: dict[str, Any], arrays: ArrayDict) -> Model:
    if header["model"] not in (names := model_names()):
        raise ValueError(f"unknown model {header['model']!r}; this version has {', '.join(names)}")
    model: Model = model_class(header["model"])(**header["params"])
    users, items = (_ids_from_arrays(arrays, side, header["ids"][side]) for side in ("user", "item"))
    seen = CSR(
        arrays["seen.indptr"], arrays["seen.indices"], arrays["seen.values"], len(items), arrays.get("seen.weights")
    )  # fmt: skip
    _check_seen(seen, len(users))
    counts = arrays.get("recipe.item_counts")
    _require("bm25" not in header["recipe"]["fitted"] or counts is not None, "the item counts are missing")
    _require(counts is None or counts.shape == (len(items),), "the item counts do not match the items")
    low, high = header["scale"]
    report = header["report"]
    data = Interactions(
        users, items, seen, (low, high), catalog=Catalog.from_arrays(header["catalog"], arrays),
        recipe=FittedRecipe.from_json(header["recipe"], counts),
        report=ReadReport(**report | {"notes": tuple(report["notes"])}),
    )  # fmt: skip
    arrays_by_name = {
        name.removeprefix("learned."): array for name, array in arrays.items() if name.startswith("learned.")
    }
    history = [Epoch.from_json(epoch) for epoch in header["history"]]
    model.validate_state(data, arrays_by_name)
    model.set_state(data, arrays_by_name, history, header["training"])
    model.index = _restore_index(header.get("index"), arrays)
    return model


def _restore_index(record: dict[str, Any] | None, arrays: ArrayDict) -> SimilarIndex | None:
    """Return the index of `similar`, or None if there is none that this version can read."""
    if (
        record is None
        or record.keys() != {field.name for field in fields(IndexBenchmark)}
        or "index.cells" not in arrays
    ):
        return None
    return SimilarIndex(arrays["index.cells"], IndexBenchmark(**record), arrays["learned.item_factors"].shape)


def _ids_to_arrays(ids: IdMap) -> ArrayDict:
    if isinstance(ids.values, StringArray):
        return {f"{ids.side}_ids.data": ids.values.data, f"{ids.side}_ids.offsets": ids.values.offsets}
    return {f"{ids.side}_ids": ids.values}


def _ids_from_arrays(arrays: ArrayDict, side: Any, kind: str) -> IdMap:
    if kind == "int":
        return IdMap(arrays[f"{side}_ids"], side)
    text = StringArray(arrays[f"{side}_ids.data"], arrays[f"{side}_ids.offsets"])
    _require(_are_valid_offsets(text.offsets, len(text.data)), f"the {side} ids do not match their offsets")
    return IdMap(text, side)


def _check_seen(seen: CSR, n_users: int) -> None:
    """Raise ValueError for histories that would make a kernel read outside its arrays."""
    entries = len(seen.indices)
    is_complete = seen.n_rows == n_users and _are_valid_offsets(seen.indptr, entries)
    _require(is_complete, "the histories do not match the users")
    _require(len(seen.values) == entries, "the histories have a different number of items and values")
    is_inside = entries == 0 or (seen.indices.min() >= 0 and seen.indices.max() < seen.n_columns)
    _require(bool(is_inside), "an item of a history has no id")


def _are_valid_offsets(offsets: NDArray[Any], end: int) -> bool:
    return len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == end and bool((np.diff(offsets) >= 0).all())


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
