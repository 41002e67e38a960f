"""Factors that stay in Parquet, where they are too many for one machine; answers are tables of Spark."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR
from alsatian.data.id_map import Id, Ids
from alsatian.data.interactions import Interactions, Report
from alsatian.data.recipe import Recipe
from alsatian.errors import ModelFileError, ParameterError, UnknownUser
from alsatian.ingest.reader import read_items_of
from alsatian.models import MODELS
from alsatian.models.als.base import ALS
from alsatian.recommender.fit_run import Epoch
from alsatian.spark.arrow_arrays import rows as each
from alsatian.spark.batch_recommend import best_of_all, similar_to_all
from alsatian.spark.executor_tasks import fetched
from alsatian.spark.export import put
from alsatian.spark.id_encoding import sorted_ids
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import whole_block
from alsatian.spark.session import told

_VERSION = 1


def seen_by(packed: Any, items: int) -> CSR:
    """Fetch packed blocks as the rows of one matrix."""
    table = packed.select("block", "indptr", "indices", "values", "weights", "needs").toArrow()
    blocks = sorted(each(table.to_batches()), key=lambda row: int(row.plain("block")))
    parts = [whole_block(row, items) for row in blocks]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([part.counts for part in parts]))]).astype(np.int64)
    indices, values = (np.concatenate([getattr(part, name) for part in parts]) for name in ("indices", "values"))
    weights = None if parts[0].weights is None else np.concatenate([part.weights for part in parts])
    return CSR(indptr, indices, values, items, weights)


def write_header(
    folder: Folder, model: ALS, sizes: tuple[int, int], mean: float, scale: tuple[float, float], recipe: Recipe,
    report: Report, history: list[Epoch], training: dict[str, Any], catalog: bool,
) -> None:  # fmt: skip
    """Write what of a model is no array; it comes last, so that a folder with it is whole."""
    header = {
        "version": _VERSION, "model": model.name, "params": model.params, "mean": mean, "users": sizes[0],
        "items": sizes[1], "scale": list(scale), "recipe": recipe.to_json(), "report": report.to_json(),
        "history": [epoch.to_json() for epoch in history], "training": training, "catalog": catalog,
    }  # fmt: skip
    folder.write_text("header", json.dumps(header))


class Factors:
    """A fitted ALS model in a folder of Parquet, as `al.spark.fit_factors` leaves it.

    >>> Factors(spark, "hdfs:///models/films").recommend(n=10).write.parquet("hdfs:///lists")  # doctest: +SKIP
    """

    def __init__(self, spark: Any, path: str) -> None:
        self.folder = Folder(spark, path)
        with told():
            text = self.folder.read_text("header")
        if text is None:
            raise ModelFileError(f"{path} holds no factors; make them: al.spark.fit_factors(model, frame, folder=...).")
        self.header: dict[str, Any] = json.loads(text)
        if self.header["version"] > _VERSION:
            raise ModelFileError(f"{path} is of a newer version of alsatian; update it.")
        self.settings: ALS = MODELS[self.header["model"]](**self.header["params"])  # type: ignore[assignment]

    @classmethod
    def put(cls, model: ALS, spark: Any, path: str, blocks: int = 64) -> Factors:
        """Write an ordinary model into a folder, so that a cluster makes its lists."""
        data = model.fitted.data
        folder, sizes = Folder(spark, path), (len(data.user_ids), len(data.item_ids))
        with told():
            folder.claim()
            put(model, folder, blocks)
            write_header(
                folder, model, sizes, float(model.mean[0]), data.scale, data.recipe, data.report, model.history,
                model.training, bool(data.catalog.columns),
            )  # fmt: skip
        return cls(spark, path)

    def __repr__(self) -> str:
        head = self.header
        return f"Factors({head['model']}, {head['users']:,} users and {head['items']:,} items in {self.folder.path})"

    @cached_property
    def _ids(self) -> dict[str, Any]:
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
        """Return the n best items of every user who has values: a DataFrame of user, rank, item and score.

        allow, deny: ids of items. where: a condition in Spark's SQL on the columns of the catalog.
        """
        with told():
            return best_of_all(self, n, exclude_seen, self._allowed(allow, deny, where))

    def similar(
        self,
        n: int = 10,
        *,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | None = None,
    ) -> Any:
        """Return the n items most like each item: a DataFrame of item, rank, similar and score."""
        with told():
            return similar_to_all(self, n, self._allowed(allow, deny, where))

    def parse_item(self, written: str) -> Id:
        """Turn an item's id written on a command line into the type of the ids."""
        return self._item_ids.parse(written)

    def table(self, side: str) -> Any:
        """Return the factors of the users or of the items, row by row: a DataFrame of id, factors and bias."""
        from alsatian.spark.batch_recommend import exploded

        if side not in ("user", "item"):
            raise ParameterError(f"{side!r} is not a side; choose 'user' or 'item'.")
        return exploded(self, side)

    def model(self, users: Iterable[Id] | None = None) -> ALS:
        """Fetch an ordinary model of these users (None: of all) and all items; only their blocks are read.

        Raises UnknownUser.
        """
        with told():
            return self._model(None if users is None else list(users))

    def _model(self, users: list[Id] | None) -> ALS:
        head, model = self.header, type(self.settings)(**self.settings.params)
        item_ids, items = self._item_ids, fetched(model, self.folder.read("learned/item"))
        if users is None:
            user_ids = sorted_ids(self._ids["user"].toArrow(), "user")
            side = fetched(model, self.folder.read("learned/user"))
            seen = seen_by(self.folder.read("by/user"), head["items"])
        else:
            user_ids, side, seen = self._some(users)
        data = Interactions(
            user_ids, item_ids, seen, (head["scale"][0], head["scale"][1]), catalog=self._catalog(item_ids),
            recipe=Recipe.from_json(head["recipe"]),
            report=Report(**head["report"] | {"notes": tuple(head["report"]["notes"])}),
        )  # fmt: skip
        learned = {
            "user_factors": side.factors, "item_factors": items.factors, "user_bias": side.bias,
            "item_bias": items.bias, "mean": np.array([head["mean"]], model.precision),
        }  # fmt: skip
        model.check_learned(data, learned)
        model.restore(data, learned, [Epoch.from_json(epoch) for epoch in head["history"]], head["training"])
        return model

    def _catalog(self, item_ids: Ids) -> Catalog:
        if not self.header["catalog"]:
            return Catalog()
        return read_items_of(self.folder.read("catalog"), self.header["recipe"]["columns"]["item"]).catalog(item_ids)

    @cached_property
    def _item_ids(self) -> Ids:
        return sorted_ids(self._ids["item"].toArrow(), "item")

    def _some(self, users: list[Id]) -> tuple[Ids, Any, CSR]:
        """Fetch the blocks that hold these users, and of them these rows."""
        kind = dict(self._ids["user"].dtypes)["id"]
        right: type = str if kind == "string" else int
        users = np.array(users).tolist() if right is int else users  # no integers of NumPy
        if not users:
            raise ParameterError("users=[] names nobody; name some users, or pass None for all.")
        if wrong := [user for user in users if type(user) is not right]:
            raise UnknownUser(f"no user {wrong[0]!r} in {self.folder.path}: its user ids are {kind}; pass such.")
        wanted = self.folder.spark.createDataFrame([(user,) for user in users], f"id {kind}")
        found = self._ids["user"].join(wanted.distinct(), "id").orderBy("row").collect()
        known = {row["id"] for row in found}
        if missing := [user for user in users if user not in known]:
            raise UnknownUser(
                f"no user {missing[0]!r} in {self.folder.path}; its ids are in the table rows/user there."
            )
        blocks = sorted({row["block"] for row in found})
        condition = f"block IN ({', '.join(map(str, blocks))})"
        packed, learned = (self.folder.read(name).where(condition) for name in ("by/user", "learned/user"))
        side, seen = fetched(self.settings, learned), seen_by(packed, self.header["items"])
        first = dict(self._ids["user"].where(condition).groupBy("block").agg({"row": "min"}).collect())
        counts = dict(self._ids["user"].where(condition).groupBy("block").count().collect())
        offsets = dict(zip(blocks, np.cumsum([0] + [counts[block] for block in blocks]), strict=False))
        rows = np.array([row["row"] - first[row["block"]] + offsets[row["block"]] for row in found])
        part = type(side)(*(None if array is None else array[rows] for array in side))  # type: ignore[arg-type]
        return Ids.of([row["id"] for row in found], "user"), part, seen.take(rows)

    def _allowed(self, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | None) -> Any:
        """Return the mask of items that lists may hold, or None."""
        if allow is None and deny is None and where is None:
            return None
        mask = np.ones(self.header["items"], bool)
        for ids, inside in ((allow, True), (deny, False)):
            if ids is not None:
                named = np.zeros(len(mask), bool)
                named[self._item_rows(list(ids))] = True
                mask &= named if inside else ~named
        if where is not None:
            matching = np.zeros(len(mask), bool)
            matching[self._matching(where)] = True
            mask &= matching
        return mask

    def _item_rows(self, ids: list[Id]) -> Any:
        rows = self._item_ids.rows(ids)
        if (rows < 0).any():
            raise self._item_ids.unknown(ids[int(np.argmax(rows < 0))])
        return rows

    def _matching(self, where: str) -> list[int]:
        """Return the rows of the items that fulfil a condition on the catalog."""
        if not self.header["catalog"]:
            raise ParameterError(
                "where= (--where) needs a catalog, and this folder has none; fit with items= (--items)."
            )
        catalog = self.folder.read("catalog")
        key = self.header["recipe"]["columns"]["item"]
        name = next((name for name in catalog.columns if name.lower() == key.lower()), None)
        if name is None:
            raise ParameterError(f"the catalog has no column {key!r} of ids; it has {', '.join(catalog.columns)}.")
        from pyspark.errors import PySparkException

        try:
            chosen = catalog.where(where).withColumnRenamed(name, "id").select("id")
        except PySparkException as error:
            columns = ", ".join(catalog.columns)
            raise ParameterError(
                f"where={where!r} is no condition on {columns}: {str(error).splitlines()[0]}"
            ) from None
        chosen = chosen.selectExpr(f"CAST(id AS {dict(self._ids['item'].dtypes)['id']}) AS id")
        return [row[0] for row in self._ids["item"].join(chosen.distinct(), "id").select("row").collect()]
