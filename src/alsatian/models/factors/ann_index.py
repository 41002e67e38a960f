"""Approximate nearest neighbors for `similar`: the catalog is split into cells, and only the nearest are searched.

Lists for users do not need an index: they are exact and skip most items (kernels/item_panels.py). Angles between items
allow no such bound, so an exact search takes as long as reading all vectors. An index pays off for a million items.

The index is an inverted file of the library faiss, with vectors in half precision. Source: Jégou, Douze, Schmid,
Product quantization for nearest neighbor search, IEEE TPAMI 2011, section 4 (`probes` is their w).
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alsatian._util.progress_bar import show_steps
from alsatian.errors import DependencyError, ParameterError, Unsupported
from alsatian.kernels import Panels, usable_threads
from alsatian.recommender.topn import Mask, TopN

_MIN_ITEMS = 1_000  # exact search is fast enough for fewer items
_MAX_QUERY_ITEMS = 8  # for more items at once, exact lists share one pass over the vectors and are as fast
_MAX_LIST_LENGTH = 100  # longer lists are exact
_BENCHMARK_LIST_LENGTH, _BENCHMARK_ITEMS, _TIMED_ITEMS = 10, 500, 100  # length and number of lists; how many are timed
_EXTRA_RESULTS = 5  # candidates beyond n: the item itself, and items that half precision may put in another order
_COSINE_TOLERANCE = 1e-6  # difference of cosines that counts as equal
_FAISS_HEADER_BYTES = 152  # bytes that faiss writes before its lists, without the centers of the cells
_SAMPLE_PER_CELL = 50  # items per cell from which the centers are learned; faiss needs at least 39
_ADD_CHUNK_ITEMS = 65_536  # items that are added at a time
QueryRows = NDArray[np.int32]
Points = NDArray[np.floating]


class ItemSpace(Protocol):
    """Items as points, such as a factor model: the smaller the angle between two, the more similar they are."""

    def item_points(self, rows: QueryRows | slice = ...) -> Points:
        """Return the points of the given items (rows, factors)."""

    @property
    def item_directions(self) -> tuple[NDArray[np.float32], Panels]:
        """The points of all items, scaled to unit length: an array, and packed."""

    def rank_similar_exact(self, rows: QueryRows, n: int, allowed: Mask | None, threads: int) -> TopN:
        """Return the n nearest items of each given item, and their cosines."""


def unit_vectors(points: Points) -> NDArray[np.float32]:
    """Return points (..., factors) scaled to unit length, so that their products are cosines; zero stays zero."""
    lengths = np.linalg.norm(points, axis=-1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    return np.ascontiguousarray(unit, np.float32)


@dataclass(frozen=True)
class IndexBenchmark:
    """The recall and time of an index for lists of ten, one item at a time, on items that it was not tuned on.

    asked: the target recall, a share of the true ten most similar items. recall: the measured recall.
    milliseconds: the median time of a list with the index. exact: the median time without it, also in milliseconds.
    probes: the number of cells that a list searches. cells: the number of cells of the index.
    """

    asked: float
    recall: float
    milliseconds: float
    exact: float
    probes: int
    cells: int

    @property
    def is_worthwhile(self) -> bool:
        """Whether a list takes at most half the time of an exact list."""
        return 2 * self.milliseconds <= self.exact


class SimilarIndex:
    """The index of a model, from `Model.build_index`.

    buffer: the bytes that faiss wrote, which may be memory-mapped and are not copied. benchmark: recall and time.
    shape: (items, factors).

    faiss reads the index on first use. If that fails (faiss is not installed, or the bytes are damaged), a warning
    gives the reason, and `similar` is exact.
    """

    def __init__(self, buffer: NDArray[np.uint8], benchmark: IndexBenchmark, shape: tuple[int, ...]) -> None:
        self.buffer, self.benchmark, self.shape = buffer, benchmark, shape

    def __reduce__(self) -> tuple[Any, ...]:
        return SimilarIndex, (self.buffer, self.benchmark, self.shape)

    def can_rank(self, n_queries: int, n: int, allowed: Mask | None) -> bool:
        """Return whether the index is used: for a few short lists without filters."""
        return (
            n_queries <= _MAX_QUERY_ITEMS and n <= _MAX_LIST_LENGTH and allowed is None and self.faiss_index is not None
        )

    @cached_property
    def faiss_index(self) -> Any:
        """The index as a faiss object, or None if it cannot be read."""
        try:
            return self._read_faiss_index()
        except (DependencyError, MemoryError, TypeError, ValueError) as error:
            warnings.warn(f"similar items are exact, without the index of the model: {error}", stacklevel=6)
            return None

    def _read_faiss_index(self) -> Any:
        """Read the index without copying it, after checking that it is an in-memory index of (items, factors)."""
        (items, factors), cells = self.shape, self.benchmark.cells
        # The tags of the index and of its lists are checked, because other kinds of lists open files by name.
        lists_offset = _FAISS_HEADER_BYTES + 4 * cells * factors
        tags = [bytes(self.buffer[offset : offset + 4]) for offset in (0, lists_offset)]
        if self.buffer.dtype != np.uint8 or tags != [b"IwSq", b"ilar"]:
            raise ValueError("the index is damaged")
        with _faiss_with_threads(1) as faiss:
            try:
                index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(self.buffer), self.buffer.size))
            except RuntimeError:
                raise ValueError("faiss cannot read the index") from None
        properties = (index.ntotal, index.d, index.nlist, index.code_size)
        if properties != (items, factors, cells, 2 * factors) or not 1 <= self.benchmark.probes <= cells:
            raise ValueError(f"the index has {index.ntotal:,} items x {index.d} factors, not {items:,} x {factors}")
        return index

    def rank_similar(self, space: ItemSpace, rows: QueryRows, n: int) -> TopN:
        """Return the n most similar items of each item, without itself, and their cosines.

        A list is shorter than n if the searched cells contain fewer items.
        """
        points = unit_vectors(space.item_points(rows))
        with _faiss_with_threads(1) as faiss:  # more threads would hang in a forked process
            parameters = faiss.SearchParametersIVF(nprobe=self.benchmark.probes)
            candidates = self.faiss_index.search(points, n + _EXTRA_RESULTS, params=parameters)[1]
        candidates = np.where(candidates < self.shape[0], candidates, -1).astype(np.int32)
        cosines = np.einsum("qk,qnk->qn", points, unit_vectors(space.item_points(candidates)))
        cosines[(candidates < 0) | (candidates == rows[:, None])] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
        items, scores = np.take_along_axis(candidates, order, 1), np.take_along_axis(cosines, order, 1)
        items[scores == -np.inf] = -1
        return TopN(items, scores)

    def to_json(self) -> dict[str, Any]:
        """Return the benchmark as a JSON-compatible dictionary, for the model file and `GET /api/model`."""
        return asdict(self.benchmark)


def build_similar_index(space: ItemSpace, recall: float, threads: int | None, progress: bool | None) -> SimilarIndex:
    """Return an index of all items of a space, as `Model.build_index` describes it.

    The number of cells to search is the smallest that reaches the recall on some items. The benchmark is measured on
    other items. Raises ParameterError, Unsupported for few items, DependencyError without faiss.
    """
    if not isinstance(recall, float | int | np.floating) or not 0 < recall <= 1:
        raise ParameterError(f"recall={recall!r} is not valid; pass a number above 0 and at most 1.")
    points, threads = space.item_directions[0], usable_threads(threads)
    nonzero = np.flatnonzero(points.any(axis=1)).astype(np.int32)
    if len(nonzero) < _MIN_ITEMS:
        raise Unsupported(
            f"an index needs {_MIN_ITEMS:,} items, and the model has {len(nonzero):,}; similar() is exact without it."
        )
    buffer, cells = _build_faiss_index(points, nonzero, threads, progress)
    sample = np.random.default_rng(0).permutation(nonzero)
    tuning_items, test_items = sample[:_BENCHMARK_ITEMS], sample[_BENCHMARK_ITEMS : 2 * _BENCHMARK_ITEMS]
    exact = space.rank_similar_exact(tuning_items, _BENCHMARK_LIST_LENGTH, None, threads)
    for probes in _probe_grid(cells):
        similar_index = SimilarIndex(buffer, IndexBenchmark(float(recall), 0, 0, 0, probes, cells), points.shape)
        if _recall(similar_index.rank_similar(space, tuning_items, _BENCHMARK_LIST_LENGTH), exact) >= recall:
            break
    test_recall = _recall(
        similar_index.rank_similar(space, test_items, _BENCHMARK_LIST_LENGTH),
        space.rank_similar_exact(test_items, _BENCHMARK_LIST_LENGTH, None, threads),
    )
    indexed_time = _median_milliseconds(
        lambda row: similar_index.rank_similar(space, row, _BENCHMARK_LIST_LENGTH), test_items
    )
    exact_time = _median_milliseconds(
        lambda row: space.rank_similar_exact(row, _BENCHMARK_LIST_LENGTH, None, 1), test_items
    )
    similar_index.benchmark = IndexBenchmark(float(recall), test_recall, indexed_time, exact_time, probes, cells)
    return similar_index


def _build_faiss_index(
    points: NDArray[np.float32], nonzero: QueryRows, threads: int, progress: bool | None
) -> tuple[NDArray[np.uint8], int]:
    """Return the bytes of the faiss index, and its number of cells."""
    cells = min(round(4 * math.sqrt(len(nonzero))), len(nonzero) // _SAMPLE_PER_CELL)
    sample = np.random.default_rng(1).choice(nonzero, cells * _SAMPLE_PER_CELL, replace=False)
    starts = range(0, len(points), _ADD_CHUNK_ITEMS)
    with _faiss_with_threads(threads) as faiss, show_steps("index", len(starts) + 1, progress) as step:
        faiss_index = faiss.index_factory(points.shape[1], f"IVF{cells},SQfp16", faiss.METRIC_INNER_PRODUCT)
        step(f"{cells:,} cells")
        faiss_index.train(points[np.sort(sample)])
        for start in starts:
            step(f"{start:,} of {len(points):,} items")
            faiss_index.add(points[start : start + _ADD_CHUNK_ITEMS])
        return faiss.serialize_index(faiss_index), cells


def _probe_grid(cells: int) -> list[int]:
    """Return the numbers of cells to try: each about 1.4 times the one before, and finally all."""
    sizes = (round(2 ** (exponent / 2)) for exponent in range(2 * cells.bit_length()))
    return [*dict.fromkeys(size for size in sizes if size < cells), cells]


def _recall(approximate: TopN, exact: TopN) -> float:
    """Return the share of places at least as near as the last exact place, so that any of equal items counts."""
    return float((approximate.scores >= exact.scores[:, -1:] - _COSINE_TOLERANCE).mean())


def _median_milliseconds(query: Callable[[QueryRows], TopN], rows: QueryRows) -> float:
    durations = []
    for row in rows[:_TIMED_ITEMS, None]:
        start = time.perf_counter()
        query(row)
        durations.append(time.perf_counter() - start)
    return 1000 * statistics.median(durations)


@contextmanager
def _faiss_with_threads(threads: int) -> Iterator[Any]:
    """Return faiss, set to this number of threads within the context. Raises DependencyError if it is missing."""
    try:
        import faiss
    except ImportError:
        raise DependencyError("an index of similar items needs faiss: pip install 'alsatian[index]'.") from None
    previous_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(previous_threads)
