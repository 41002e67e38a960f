"""From a Spark DataFrame to a fitted model, or to factors that stay in Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

import numpy as np

from alsatian.data.catalog import Catalog
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Duplicates, Recipe
from alsatian.errors import ParameterError
from alsatian.ingest.read_options import ReadOptions
from alsatian.ingest.reader import read_item_table
from alsatian.models.als.base import ALS
from alsatian.models.als.fit import FitPlan, run_als
from alsatian.recommender.fit_run import Callback, FitRun
from alsatian.spark import memory, mllib
from alsatian.spark.cluster_als import ClusterSides
from alsatian.spark.factor_blocks import fits_broadcast
from alsatian.spark.factor_tables import FactorTables, fetch_seen, write_header
from alsatian.spark.id_encoding import Numbering, number_side
from alsatian.spark.input_rows import type_frame
from alsatian.spark.parquet_folder import Folder, working_folder
from alsatian.spark.rating_blocks import PackedRatings, pack
from alsatian.spark.session import get_setting, inspect_cluster, session_of, translated_errors

ALSModel = TypeVar("ALSModel", bound=ALS)
BLOCK_ENTRIES, MIN_BLOCKS, MAX_BLOCKS = 1 << 20, 32, 4096  # approximate entries of a block; bounds of the block count


@dataclass(frozen=True)
class FitOptions:
    """Options of a fit: how the frame is read, as in `al.read`, and how the work is distributed, as in `fit`."""

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
    def columns(self) -> dict[str, str | None]:
        """The columns that the user named, by role."""
        return {role: getattr(self, role) for role in ("user", "item", "value", "time", "event", "weight")}

    @property
    def full_recipe(self) -> Recipe:
        """The recipe, with `duplicates` as the user gave it."""
        read_options = ReadOptions(
            self.duplicates, scale=self.scale, recipe=Recipe() if self.recipe is None else self.recipe
        )
        return replace(read_options.recipe, duplicates=self.duplicates or read_options.recipe.duplicates)


@dataclass(frozen=True)
class PackedInput:
    """The packed data of a frame, and what a fit of it needs.

    threads: tasks that run at a time. numberings: ids and blocks of each side. partitions: of Spark.
    """

    model: ALS
    folder: Folder
    threads: int
    recipe: FittedRecipe
    scale: tuple[float, float]
    numberings: dict[str, Numbering]
    packed: PackedRatings
    partitions: int

    @cached_property
    def plan(self) -> FitPlan:
        """The plan of the fit, from the model and a summary of the data."""
        return self.model.fit_plan(self.packed.totals)

    @contextmanager
    def sides(self, run: FitRun) -> Iterator[ClusterSides]:
        """Yield both sides with their starting values, or as the last checkpoint in the folder has them."""
        settings = {"model": self.model.name, "params": self.model.params}
        with closing(
            ClusterSides(self.plan, self.packed, self.numberings, self.folder, self.partitions, run, settings)
        ) as sides:
            sides.begin()
            yield sides

    def data(self, items: Any) -> Interactions:
        """Fetch the interactions that an ordinary model keeps: ids, catalog and the values of each user."""
        ids = {side: numbers.ids() for side, numbers in self.numberings.items()}
        by_user = fetch_seen(self.packed.tables["user"], self.packed.totals.items)
        catalog, notes = Catalog(), self.packed.report.notes
        if items is not None:
            table = read_item_table(items, self.recipe.columns["item"])
            catalog = table.to_catalog(ids["item"])
            notes += tuple(table.notes)
        report = replace(self.packed.report, notes=notes)
        return Interactions(
            ids["user"], ids["item"], by_user, self.scale, catalog=catalog, recipe=self.recipe, report=report
        )


def fit(
    model: ALSModel,
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
) -> ALSModel:
    """Fit an ExplicitALS or ImplicitALS to a Spark DataFrame on its cluster, and return the model.

    items: titles and attributes of the items, as in `al.read`, or a Spark DataFrame.
    user, item, value, time, event, weight, duplicates, scale, recipe: as in `al.read`.
    method: "native" (the kernels of this package), or "mllib" (the ALS of MLlib, see spark/mllib.py).
    blocks: number of blocks of users and of items (None: by the size of the data). The last bits of the result depend
        on it, and on nothing else of the cluster.
    partitions: number of Spark partitions of the blocks (None: as many as tasks run at a time).
    folder: where blocks and states of the fit are written as Parquet; all executors must reach it. An interrupted fit
        continues from its last checkpoint there. None: a temporary folder, if Spark runs on one machine.
    progress, callbacks: as in Model.fit.

    Raises ParameterError, ColumnError, RowsError, DataError, FitError; DependencyError if executors lack the package.
    """
    options = FitOptions(user, item, value, time, event, weight, duplicates, scale, recipe, blocks, partitions)
    callbacks = list(callbacks)
    if method == "mllib" and callbacks:
        raise ParameterError("method='mllib' reports no epochs; pass no callbacks.")
    with _prepare_input(model, frame, options, folder, method, on_driver=True) as packed_input:
        data = packed_input.data(items)
        run = FitRun(model, data, packed_input.threads, progress, callbacks)
        if method == "mllib":
            learned = mllib.fit_mllib(
                packed_input.model,
                packed_input.packed,
                packed_input.numberings,
                packed_input.folder,
                packed_input.partitions,
            )
        else:
            with packed_input.sides(run) as sides:
                learned = run_als(packed_input.plan, sides, run)
        model.validate_state(data, learned)
        model.set_state(data, learned, run.history, run.summary)
    return model


def fit_factors(
    model: ALS,
    frame: Any,
    folder: str,
    *,
    items: Any = None,
    progress: bool | None = None,
    **options: Any,
) -> FactorTables:
    """Fit as `fit` does, and leave the model in a folder of Parquet, for factors that are too large for the driver.

    folder: empty, or that of an interrupted fit. items: a Spark DataFrame with ids, titles and attributes.
    options: of `fit`, from `user` to `partitions`. Errors as in `fit`.
    """
    if items is not None:
        session_of(items, "items=")
    with _prepare_input(model, frame, FitOptions(**options), folder, "native", on_driver=False) as packed_input:
        run = _RemoteRun(packed_input, progress)
        with packed_input.sides(run) as sides:
            run_als(packed_input.plan, sides, run, dict)  # the factors stay on the cluster
            for side in ("user", "item"):
                packed_input.folder.write(f"learned/{side}", sides.state(side).select("block", "factors", "bias"))
        if items is not None:
            packed_input.folder.write("catalog", items)
        totals = packed_input.packed.totals
        write_header(
            packed_input.folder, packed_input.model, (totals.users, totals.items), packed_input.plan.mean,
            packed_input.scale, packed_input.recipe, packed_input.packed.report, run.history, run.summary,
            items is not None,
        )  # fmt: skip
        return FactorTables(packed_input.folder.spark, packed_input.folder.path)


class _RemoteRun(FitRun):
    """A run whose data is not in this process."""

    def __init__(self, packed_input: PackedInput, progress: bool | None) -> None:
        super().__init__(packed_input.model, cast(Any, None), packed_input.threads, progress)
        self.packed = packed_input.packed

    @property
    def summary(self) -> dict[str, Any]:
        record = {"values": self.packed.totals.values, "digest": self.packed.digest, "threads": self.threads}
        return record | {"seconds": self.seconds}


@contextmanager
def _prepare_input(
    model: Any, frame: Any, options: FitOptions, folder: str | None, method: str, on_driver: bool
) -> Iterator[PackedInput]:
    """Check settings, cluster and frame, then encode ids and pack ratings; yield the packed input."""
    spark = session_of(frame)
    _check_model(model, method)
    if options.blocks is not None and not 1 <= options.blocks <= MAX_BLOCKS:
        raise ParameterError(f"blocks={options.blocks} is out of bounds; pass 1 to {MAX_BLOCKS}, or None.")
    if options.partitions is not None and options.partitions < 1:
        raise ParameterError(f"partitions={options.partitions} is out of bounds; pass 1 or more, or None.")
    full_recipe = options.full_recipe
    with translated_errors(), working_folder(spark, folder) as work_folder:
        if work_folder.is_permanent:
            work_folder.claim()
        n_tasks = inspect_cluster(spark)
        typed_rows = type_frame(frame, options.columns, full_recipe, options.scale)
        if method == "mllib" and "weight" in typed_rows.columns:
            raise ParameterError(
                "method='mllib' does not support weights; pass weight='' (--weight ''), or method='native'."
            )
        yield _pack_input(type(model)(**model.params), typed_rows, options, work_folder, n_tasks, on_driver)


def _pack_input(
    model: ALS, typed_rows: Any, options: FitOptions, folder: Folder, n_tasks: int, on_driver: bool
) -> PackedInput:
    blocks = options.blocks or int(np.clip(typed_rows.n_read // BLOCK_ENTRIES, MIN_BLOCKS, MAX_BLOCKS))
    numberings = {side: number_side(typed_rows.rows, side, blocks, folder) for side in ("user", "item")}
    model.validate_size(numberings["user"].size, numberings["item"].size)
    is_large = {side: not fits_broadcast(model, numberings[side].size) for side in numberings}
    packed = pack(
        typed_rows, numberings["user"], numberings["item"], folder, {"user": is_large["item"], "item": is_large["user"]}
    )
    model.validate_values(np.array([packed.scale[0]], np.float32))
    spark = folder.spark
    limit = memory.parse_task_memory(
        get_setting(spark, "spark.executor.pyspark.memory", ""), get_setting(spark, "spark.executor.cores", "1")
    )
    result_limit = memory.parse_task_memory(get_setting(spark, "spark.driver.maxResultSize", "1g"), "1")
    memory.check_memory(memory.estimate_memory(model, packed, blocks), limit, on_driver, result_limit)
    n_blocks = max(numbering.blocks for numbering in numberings.values())
    partitions = min(options.partitions or n_tasks, n_blocks)
    scale = options.scale or packed.scale
    return PackedInput(model, folder, min(n_tasks, 1024), typed_rows.recipe, scale, numberings, packed, partitions)


def _check_model(model: Any, method: str) -> None:
    if not isinstance(model, ALS):
        name = getattr(model, "name", type(model).__name__)
        raise ParameterError(f"Spark fits explicit-als and implicit-als, not {name}; choose one of them.")
    for name in ("item_attributes", "user_attributes"):
        if model.params.get(name):
            raise ParameterError(f"{name} has no effect in a fit on Spark, where every row has values; remove it.")
    if method not in ("native", "mllib"):
        raise ParameterError(f"method={method!r} is not valid; choose 'native' or 'mllib'.")
    if method == "mllib":
        mllib.check_mllib_settings(model)
