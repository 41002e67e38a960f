"""Factors that stay in Parquet because they do not fit one machine; lists are tables of Spark."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions, ReadReport
from alsatian.errors import ModelFileError, ParameterError, UnknownUser
from alsatian.ingest.reader import read_item_table
from alsatian.models.als.base import ALS
from alsatian.persistence import format_1
from alsatian.recommender.fit_run import Epoch
from alsatian.recommender.registry import model_class
from alsatian.recommender.resolve import rows_for_ids
from alsatian.spark.arrow_arrays import iter_rows
from alsatian.spark.batch_recommend import StoredFactors, factor_rows, recommend_for_all, similar_to_all
from alsatian.spark.export import export_model
from alsatian.spark.factor_blocks import fetch_side
from alsatian.spark.id_encoding import ids_in_row_order
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import decode_full_block
from alsatian.spark.session import translated_errors

_FOLDER_VERSION = 2  # 1: names as in persistence/format_1.py


def fetch_seen(packed: Any, items: int) -> CSR:
    """Fetch packed blocks to the driver as one matrix (users x items) of values."""
    table = packed.select("block", "indptr", "indices", "values", "weights", "needs").toArrow()
    blocks = sorted(iter_rows(table.to_batches()), key=lambda row: int(row.value("block")))
    parts = [decode_full_block(row, items) for row in blocks]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([part.counts for part in parts]))]).astype(np.int64)
    indices, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("indices", "values"))
    weights = None if parts[0].weights is None else np.concatenate([part.weights for part in parts])
    return CSR(indptr, indices, values, items, weights)


def write_header(
    folder: Folder, model: ALS, sizes: tuple[int, int], mean: float, scale: tuple[float, float], recipe: FittedRecipe,
    report: ReadReport, history: list[Epoch], training: dict[str, Any], catalog: bool,
) -> None:  # fmt: skip
    """Write everything of a model that is not an array. It is written last, so a folder with a header is complete."""
    header = {
        "version": _FOLDER_VERSION, "model": model.name, "params": model.params, "mean": mean, "users": sizes[0],
        "items": sizes[1], "scale": list(scale), "recipe": recipe.to_json(), "report": report.to_json(),
        "history": [epoch.to_json() for epoch in history], "training": training, "catalog": catalog,
    }  # fmt: skip
    folder.write_text("header", json.dumps(header))


class FactorTables:
    """A fitted ALS model in a folder of Parquet, as `al.spark.fit_factors` writes it.

    path: of the folder, as Spark writes paths. Raises ModelFileError if it contains no factors, or factors of a newer
    version.

    >>> FactorTables(spark, "hdfs:///models/films").recommend(n=10).write.parquet("hdfs:///lists")  # doctest: +SKIP
    """

    def __init__(self, spark: Any, path: str) -> None:
        self.folder = Folder(spark, path)
        with translated_errors():
            text = self.folder.read_text("header")
        if text is None:
            raise ModelFileError(
                f"{path} contains no factors; create them: al.spark.fit_factors(model, frame, folder=...)."
            )
        self.header: dict[str, Any] = json.loads(text)
        if self.header["version"] > _FOLDER_VERSION:
            raise ModelFileError(f"{path} was written by a newer version of alsatian; update alsatian.")
        if self.header["version"] == 1:
            self.header = format_1.translate_header(self.header)
        self.template: ALS = model_class(self.header["model"])(**self.header["params"])

    @classmethod
    def from_model(cls, model: ALS, spark: Any, path: str, blocks: int = 64) -> FactorTables:
        """Write a fitted model into an empty folder, so that a cluster can compute its lists.

        blocks: of users and of items. Raises ParameterError if the folder contains other files, NotFitted.
        """
        data = model.fitted.data
        folder, sizes = Folder(spark, path), (len(data.user_ids), len(data.item_ids))
        with translated_errors():
            folder.claim()
            export_model(model, folder, blocks)
            write_header(
                folder, model, sizes, float(model.mean[0]), data.scale, data.recipe, data.report, model.history,
                model.training, bool(data.catalog.columns),
            )  # fmt: skip
        return cls(spark, path)

    def __repr__(self) -> str:
        header = self.header
        sizes = f"{header['users']:,} users and {header['items']:,} items"
        return f"FactorTables({header['model']}, {sizes} in {self.folder.path})"

    @property
    def _stored(self) -> StoredFactors:
        return StoredFactors(self.folder, self.template, self.header["mean"], self.header["items"])

    @cached_property
    def _id_tables(self) -> dict[str, Any]:
        return {side: self.folder.read(f"rows/{side}") for side in ("user", "item")}

    def recommend(
        self,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | None = None,
    ) -> Any:
        """Return the n best items of every user with values: a DataFrame of user, rank, item and score.

        allow, deny: ids of items. where: a condition on the columns of the catalog, as for
        `Catalog.match_where`.
        Raises UnknownItem, ParameterError, and Unsupported where the items are too large for an executor.
        """
        with translated_errors():
            return recommend_for_all(self._stored, n, exclude_seen, self._item_mask(allow, deny, where))

    def similar(
        self,
        n: int = 10,
        *,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | None = None,
    ) -> Any:
        """Return the n items most similar to each item: a DataFrame of item, rank, similar and score.

        Filters and errors as in `recommend`.
        """
        with translated_errors():
            return similar_to_all(self._stored, n, self._item_mask(allow, deny, where))

    def parse_item(self, written: str) -> Id:
        """Return an id that was given as text, as on the command line, in the type of the item ids."""
        return self._item_ids.parse(written)

    def table(self, side: str) -> Any:
        """Return the factors of a side, "user" or "item": a DataFrame of id, factors (array) and bias (or null).

        Raises ParameterError for another side.
        """
        if side not in ("user", "item"):
            raise ParameterError(f"{side!r} is not a side; choose 'user' or 'item'.")
        return factor_rows(self._stored, side)

    def model(self, users: Iterable[Id] | None = None) -> ALS:
        """Fetch an ordinary fitted model of these users (None: of all) and of all items.

        Only blocks with these users are read. Raises UnknownUser, and ParameterError for an empty list.
        """
        with translated_errors():
            return self._fetch_model(None if users is None else list(users))

    def _fetch_model(self, users: list[Id] | None) -> ALS:
        header, model = self.header, type(self.template)(**self.template.params)
        item_ids, items = self._item_ids, fetch_side(model, self.folder.read("learned/item"))
        if users is None:
            user_ids = ids_in_row_order(self._id_tables["user"].toArrow(), "user")
            side = fetch_side(model, self.folder.read("learned/user"))
            seen = fetch_seen(self.folder.read("by/user"), header["items"])
        else:
            user_ids, side, seen = self._fetch_users(users)
        data = Interactions(
            user_ids, item_ids, seen, (header["scale"][0], header["scale"][1]), catalog=self._catalog(item_ids),
            recipe=FittedRecipe.from_json(header["recipe"]),
            report=ReadReport(**header["report"] | {"notes": tuple(header["report"]["notes"])}),
        )  # fmt: skip
        learned = {
            "user_factors": side.factors, "item_factors": items.factors, "user_bias": side.bias,
            "item_bias": items.bias, "mean": np.array([header["mean"]], model.precision),
        }  # fmt: skip
        model.validate_state(data, learned)
        model.set_state(data, learned, [Epoch.from_json(epoch) for epoch in header["history"]], header["training"])
        return model

    def _catalog(self, item_ids: IdMap) -> Catalog:
        if not self.header["catalog"]:
            return Catalog()
        return read_item_table(self.folder.read("catalog"), self.header["recipe"]["columns"]["item"]).to_catalog(
            item_ids
        )

    @cached_property
    def _item_ids(self) -> IdMap:
        return ids_in_row_order(self._id_tables["item"].toArrow(), "item")

    def _fetch_users(self, users: list[Id]) -> tuple[IdMap, Any, CSR]:
        """Fetch the blocks that contain these users, and take their rows."""
        kind = dict(self._id_tables["user"].dtypes)["id"]
        id_type: type = str if kind == "string" else int
        users = np.array(users).tolist() if id_type is int else users  # integers of NumPy become int
        if not users:
            raise ParameterError("users=[] is empty; pass ids of users, or None for all.")
        if invalid_ids := [user for user in users if type(user) is not id_type]:
            raise UnknownUser(
                f"no user {invalid_ids[0]!r} in {self.folder.path}: its user ids are {kind}; pass ids of that type."
            )
        requested = self.folder.spark.createDataFrame([(user,) for user in users], f"id {kind}")
        matches = self._id_tables["user"].join(requested.distinct(), "id").orderBy("row").collect()
        matched_ids = {row["id"] for row in matches}
        if missing := [user for user in users if user not in matched_ids]:
            raise UnknownUser(
                f"no user {missing[0]!r} in {self.folder.path}; the table rows/user in that folder lists its ids."
            )
        blocks = sorted({row["block"] for row in matches})
        condition = f"block IN ({', '.join(map(str, blocks))})"
        packed, learned = (self.folder.read(name).where(condition) for name in ("by/user", "learned/user"))
        side, seen = fetch_side(self.template, learned), fetch_seen(packed, self.header["items"])
        first_rows = dict(self._id_tables["user"].where(condition).groupBy("block").agg({"row": "min"}).collect())
        counts = dict(self._id_tables["user"].where(condition).groupBy("block").count().collect())
        offsets = dict(zip(blocks, np.cumsum([0] + [counts[block] for block in blocks]), strict=False))
        rows = np.array([row["row"] - first_rows[row["block"]] + offsets[row["block"]] for row in matches])
        user_side = type(side)(*(None if array is None else array[rows] for array in side))  # type: ignore[arg-type]
        return IdMap.from_ids([row["id"] for row in matches], "user"), user_side, seen.take(rows)

    def _item_mask(self, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | None) -> Any:
        """Return the mask of items that lists may hold, or None for all."""
        if allow is None and deny is None and where is None:
            return None
        mask = np.ones(self.header["items"], bool)
        for ids, is_allowed in ((allow, True), (deny, False)):
            if ids is not None:
                id_mask = np.zeros(len(mask), bool)
                id_mask[rows_for_ids(self._item_ids, list(ids), "raise")] = True
                mask &= id_mask if is_allowed else ~id_mask
        if where is not None:
            mask &= self._match_where(where)
        return mask

    def _match_where(self, where: str) -> Any:
        """Return the mask of the items that satisfy a condition on the catalog; the driver reads the catalog for it."""
        if not self.header["catalog"]:
            raise ParameterError(
                "where= (--where) needs a catalog, and this folder has none; fit with items= (--items)."
            )
        return self._catalog(self._item_ids).match_where(where)
