"""From a Spark DataFrame to a fitted model, or to factors that stay in Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast

import numpy as np

from alsatian.data.catalog import Catalog
from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Duplicates, Recipe
from alsatian.errors import ParameterError
from alsatian.ingest.assemble import Rules
from alsatian.ingest.reader import read_items_of
from alsatian.models.als.base import ALS
from alsatian.models.als.fit import alternate
from alsatian.recommender.fit_run import Callback, Run
from alsatian.spark import memory, mllib
from alsatian.spark.cluster_als import SMALL, OnCluster, side_bytes
from alsatian.spark.factor_tables import Factors, seen_by, write_header
from alsatian.spark.id_encoding import Numbering, number
from alsatian.spark.input_rows import typed
from alsatian.spark.parquet_folder import Folder, working_folder
from alsatian.spark.rating_blocks import Packed, pack
from alsatian.spark.session import look, session_of, setting, told

Fitted = TypeVar("Fitted", bound=ALS)
ENTRIES, LEAST, MOST = 1 << 20, 32, 4096  # of a block, about; and how many blocks there are


@dataclass(frozen=True)
class Options:
    """How a frame is read, as `al.read` has it, and how the work is dealt out."""

    user: str | None = None
    item: str | None = None
    value: str | None = None
    time: str | None = None
    event: str | None = None
    weight: str | None = None
    duplicates: Duplicates | None = None
    scale: tuple[float, float] | None = None
    recipe: Recipe | None = None
    blocks: int | None = None
    partitions: int | None = None

    @property
    def named(self) -> dict[str, str | None]:
        return {role: getattr(self, role) for role in ("user", "item", "value", "time", "event", "weight")}

    @property
    def rules(self) -> Recipe:
        rules = Rules(self.duplicates, scale=self.scale, recipe=Recipe() if self.recipe is None else self.recipe)
        return replace(rules.recipe, duplicates=self.duplicates or rules.recipe.duplicates)


@dataclass(frozen=True)
class Prepared:
    """Ratings in blocks, and all that is known of them."""

    model: ALS
    folder: Folder
    threads: int  # as many as tasks run at a time
    recipe: Recipe
    scale: tuple[float, float]
    numbers: dict[str, Numbering]
    packed: Packed
    partitions: int

    @contextmanager
    def sides(self, run: Run) -> Iterator[OnCluster]:
        """Give both sides, begun."""
        with closing(OnCluster(self.model, self.packed, self.numbers, self.folder, self.partitions, run)) as sides:
            sides.begin()
            yield sides

    def data(self, items: Any) -> Interactions:
        """Fetch what an ordinary model keeps: ids, catalog, and what each user has."""
        ids = {side: numbers.ids() for side, numbers in self.numbers.items()}
        by_user = seen_by(self.packed.tables["user"], self.packed.totals.items)
        catalog, notes = Catalog(), self.packed.report.notes
        if items is not None:
            table = read_items_of(items, self.recipe.columns["item"])
            catalog = table.catalog(ids["item"])
            notes += tuple(table.notes)
        report = replace(self.packed.report, notes=notes)
        return Interactions(
            ids["user"], ids["item"], by_user, self.scale, catalog=catalog, recipe=self.recipe, report=report
        )


def fit(
    model: Fitted,
    frame: Any,
    *,
    items: Any = None,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    event: str | None = None,
    weight: str | None = None,
    duplicates: Duplicates | None = None,
    scale: tuple[float, float] | None = None,
    recipe: Recipe | None = None,
    method: Literal["native", "mllib"] = "native",
    blocks: int | None = None,
    partitions: int | None = None,
    folder: str | None = None,
    progress: bool | None = None,
    callbacks: Iterable[Callback] = (),
) -> Fitted:
    """Learn an ExplicitALS or ImplicitALS from a Spark DataFrame, on its cluster, and return the model itself, fitted.

    items: titles and attributes of the items, as in `al.read`, or a Spark DataFrame.
    user, item, value, time, event, weight, duplicates, scale, recipe: as in `al.read`.
    method: our kernels ("native"), or MLlib's ALS, whose factors the model then has ("mllib", see spark/mllib.py).
    blocks: into how many the users and the items are cut (None: by the size of the data); the result depends on it in
        the last bits, and on nothing else of the cluster.
    partitions: into how many Spark partitions the blocks are dealt out (None: as many as tasks run at a time).
    folder: where blocks and states of the fit are written, as Parquet; a place that all executors reach. A fit that
        was broken off goes on from there. None: a temporary folder, where Spark runs on one machine.
    progress, callbacks: as in Model.fit.

    Raises ParameterError, DataError, DependencyError where executors lack the package, FitError.
    """
    options = Options(user, item, value, time, event, weight, duplicates, scale, recipe, blocks, partitions)
    callbacks = list(callbacks)
    if method == "mllib" and callbacks:
        raise ParameterError("method='mllib' tells of no epochs; pass no callbacks.")
    with _prepared(model, frame, options, folder, method, on_driver=True) as ready:
        data = ready.data(items)
        run = Run(model, data, ready.threads, progress, callbacks)
        if method == "mllib":
            learned = mllib.learn(ready.model, ready.packed, ready.numbers, ready.folder, ready.partitions)
        else:
            with ready.sides(run) as sides:
                learned = alternate(ready.model, sides, run)
        model.check_learned(data, learned)
        model.restore(data, learned, run.history, run.summary)
    return model


def fit_factors(
    model: ALS,
    frame: Any,
    folder: str,
    *,
    items: Any = None,
    progress: bool | None = None,
    **options: Any,
) -> Factors:
    """Learn as `fit` does, and leave all in a folder of Parquet, for factors that are too large for the driver.

    items: a Spark DataFrame of titles and attributes, and of the ids. options: of `fit`, from `user` to `partitions`.
    """
    if items is not None:
        session_of(items, "items=")
    with _prepared(model, frame, Options(**options), folder, "native", on_driver=False) as ready:
        run = _Remote(ready, progress)
        with ready.sides(run) as sides:
            alternate(ready.model, sides, run, dict)  # what is learned stays where it is
            for side in ("user", "item"):
                ready.folder.write(f"learned/{side}", sides.state(side).select("block", "factors", "bias"))
        if items is not None:
            ready.folder.write("catalog", items)
        totals = ready.packed.totals
        write_header(
            ready.folder, ready.model, (totals.users, totals.items), ready.model._mean(totals), ready.scale,
            ready.recipe, ready.packed.report, run.history, run.summary, items is not None,
        )  # fmt: skip
        return Factors(ready.folder.spark, ready.folder.path)


class _Remote(Run):
    """A run whose data is not here."""

    def __init__(self, ready: Prepared, progress: bool | None) -> None:
        super().__init__(ready.model, cast(Any, None), ready.threads, progress)
        self.packed = ready.packed

    @property
    def summary(self) -> dict[str, Any]:
        known = {"values": self.packed.totals.values, "digest": self.packed.digest, "threads": self.threads}
        return known | {"seconds": self.seconds}


@contextmanager
def _prepared(
    model: Any, frame: Any, options: Options, folder: str | None, method: str, on_driver: bool
) -> Iterator[Prepared]:
    """Check all that can be checked, then number and pack."""
    spark = session_of(frame)
    _check_model(model, method)
    if options.blocks is not None and not 1 <= options.blocks <= MOST:
        raise ParameterError(f"blocks={options.blocks} is out of bounds; pass 1 to {MOST}, or None.")
    if options.partitions is not None and options.partitions < 1:
        raise ParameterError(f"partitions={options.partitions} is not a number of partitions; pass 1 or more.")
    rules = options.rules
    with told(), working_folder(spark, folder) as place:
        if place.kept:
            place.claim()
        running = look(spark)
        rows = typed(frame, options.named, rules, options.scale)
        if method == "mllib" and "weight" in rows.columns:
            raise ParameterError("method='mllib' knows no weights; pass weight='' (--weight ''), or method='native'.")
        yield _packed(type(model)(**model.params), rows, options, place, running, on_driver)


def _packed(model: ALS, rows: Any, options: Options, place: Folder, running: int, on_driver: bool) -> Prepared:
    blocks = options.blocks or int(np.clip(rows.read // ENTRIES, LEAST, MOST))
    numbers = {side: number(rows.rows, side, blocks, place) for side in ("user", "item")}
    model._check_size(numbers["user"].size, numbers["item"].size)
    large = {side: side_bytes(model, numbers[side].size) > SMALL for side in numbers}
    packed = pack(rows, numbers["user"], numbers["item"], place, {"user": large["item"], "item": large["user"]})
    model._check_values(np.array([packed.scale[0]], np.float32))
    spark = place.spark
    limit = memory.limit_of(
        setting(spark, "spark.executor.pyspark.memory", ""), setting(spark, "spark.executor.cores", "1")
    )
    result = memory.limit_of(setting(spark, "spark.driver.maxResultSize", "1g"), "1")
    memory.check(memory.needed(model, packed, blocks), limit, on_driver, result)
    most = max(numbering.blocks for numbering in numbers.values())
    partitions = min(options.partitions or running, most)
    scale = options.scale or packed.scale
    return Prepared(model, place, min(running, 1024), rows.recipe, scale, numbers, packed, partitions)


def _check_model(model: Any, method: str) -> None:
    if not isinstance(model, ALS):
        name = getattr(model, "name", type(model).__name__)
        raise ParameterError(f"Spark fits explicit-als and implicit-als, not {name}; choose one of these.")
    for name in ("item_attributes", "user_attributes"):
        if model.params.get(name):
            raise ParameterError(f"{name} has no effect in a fit on Spark, which has no rows without values; drop it.")
    if method not in ("native", "mllib"):
        raise ParameterError(f"method={method!r} is not a method; choose 'native' or 'mllib'.")
    if method == "mllib":
        mllib.check(model)
