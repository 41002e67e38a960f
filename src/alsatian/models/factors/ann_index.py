"""An index of similar items: a large catalog is parted into cells, and only the nearest are searched. Approximate.

Lists for people need none: they leave most items out unseen and are exact (kernels/item_panels.py). Angles between
items allow no such bound, so that in a catalog of a million an exact answer takes as long as reading all vectors.

The index is the inverted file of the library faiss, with numbers of half precision. Source: Jégou, Douze, Schmid,
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

_MIN_ITEMS = 1_000  # items; fewer are quickly looked through
_MAX_QUERY_ITEMS = 8  # items that are asked for at once; for more of them exact lists share the reading and are as fast
_MAX_LIST_LENGTH = 100  # of a list; longer ones are exact
_BENCHMARK_LIST_LENGTH, _BENCHMARK_ITEMS, _TIMED_ITEMS = (
    10,
    500,
    100,
)  # the lists by which an index is judged, and how many of them are timed
_EXTRA_RESULTS = 5  # more that are asked for: the item itself, and what half precision may put in another order
_COSINE_TOLERANCE = 1e-6  # of cosines
_FAISS_HEADER_BYTES = 152  # bytes that faiss writes before its lists, beside the centers of the cells
_SAMPLE_PER_CELL = 50  # items to a cell, from which its center is learned; faiss wants 39
_ADD_CHUNK_ITEMS = 65_536  # items that are added at a time
QueryRows = NDArray[np.int32]
Points = NDArray[np.floating]


class ItemSpace(Protocol):
    """Items as points, as a factor model has them: the smaller the angle between two, the more similar they are."""

    def item_points(self, rows: QueryRows | slice = ...) -> Points:
        """Return the points of these items (rows, factors)."""

    @property
    def item_directions(self) -> tuple[NDArray[np.float32], Panels]:
        """The points of all items at length one, plain and packed."""

    def rank_similar_exact(self, rows: QueryRows, n: int, allowed: Mask | None, threads: int) -> TopN:
        """Return the n nearest items of each of these, and their cosines."""


def unit_vectors(points: Points) -> NDArray[np.float32]:
    """Return points (..., factors) at length one, so that their products are cosines; zero stays zero."""
    lengths = np.linalg.norm(points, axis=-1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    return np.ascontiguousarray(unit, np.float32)


@dataclass(frozen=True)
class IndexBenchmark:
    """What an index is worth for lists of ten, one item at a time, on items by which it was not set.

    asked: the share of the ten most similar items that it was to find; recall: that it finds. milliseconds: for a list
    (median); exact: without it. probes: how many of its `cells` a list looks at.
    """

    asked: float
    recall: float
    milliseconds: float
    exact: float
    probes: int
    cells: int

    @property
    def is_worthwhile(self) -> bool:
        """Whether it takes half the time at most."""
        return 2 * self.milliseconds <= self.exact


class SimilarIndex:
    """The index of a model, made by `index`. stored: what faiss writes, which may be mapped; it is not copied.

    It is opened at its first use. Where it cannot be (the library is missing, the bytes are no such index), a warning
    says why, and answers are exact.
    """

    def __init__(self, buffer: NDArray[np.uint8], benchmark: IndexBenchmark, shape: tuple[int, ...]) -> None:
        self.buffer, self.benchmark, self.shape = buffer, benchmark, shape

    def __reduce__(self) -> tuple[Any, ...]:
        return SimilarIndex, (self.buffer, self.benchmark, self.shape)

    def can_rank(self, n_queries: int, n: int, allowed: Mask | None) -> bool:
        """Tell whether lists are made with it: a few short ones without filters."""
        return (
            n_queries <= _MAX_QUERY_ITEMS and n <= _MAX_LIST_LENGTH and allowed is None and self.faiss_index is not None
        )

    @cached_property
    def faiss_index(self) -> Any:
        """The index as faiss has it, or None."""
        try:
            return self._read_faiss_index()
        except (DependencyError, MemoryError, TypeError, ValueError) as error:
            warnings.warn(f"similar items are found without the index of the model: {error}", stacklevel=6)
            return None

    def _read_faiss_index(self) -> Any:
        """Read the index where it lies, and check that it is one of items x factors in memory, and of no other kind."""
        (items, factors), cells = self.shape, self.benchmark.cells
        lists_offset = (
            _FAISS_HEADER_BYTES + 4 * cells * factors
        )  # where it says of which kind the lists are; others name files to open
        if self.buffer.dtype != np.uint8 or [
            bytes(self.buffer[offset : offset + 4]) for offset in (0, lists_offset)
        ] != [
            b"IwSq",
            b"ilar",
        ]:
            raise ValueError("it is damaged")
        with _faiss_with_threads(1) as faiss:
            try:
                index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(self.buffer), self.buffer.size))
            except RuntimeError:
                raise ValueError("faiss cannot read it") from None
        properties = (index.ntotal, index.d, index.nlist, index.code_size)
        if properties != (items, factors, cells, 2 * factors) or not 1 <= self.benchmark.probes <= cells:
            raise ValueError(f"it is of {index.ntotal:,} items x {index.d}, not of {items:,} x {factors}")
        return index

    def rank_similar(self, space: ItemSpace, rows: QueryRows, n: int) -> TopN:
        """Return n items like each, without itself, and their cosines; fewer where the cells searched hold fewer."""
        points = unit_vectors(space.item_points(rows))
        with _faiss_with_threads(1) as faiss:  # more threads would hang in a process that was forked
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
        """Return the benchmark as JSON holds it, for the model file and `GET /api/model`."""
        return asdict(self.benchmark)


def build_similar_index(space: ItemSpace, recall: float, threads: int | None, progress: bool | None) -> SimilarIndex:
    """Return an index of all items of a space, as `Model.build_index` describes it.

    The number of cells to search is the least that reaches the recall on some items; the benchmark is measured on
    others. Raises ParameterError, Unsupported for few items, DependencyError without faiss.
    """
    if not isinstance(recall, float | int | np.floating) or not 0 < recall <= 1:
        raise ParameterError(f"recall={recall!r} is not a valid share; pass more than 0, and at most 1.")
    points, threads = space.item_directions[0], usable_threads(threads)
    nonzero = np.flatnonzero(points.any(axis=1)).astype(np.int32)
    if len(nonzero) < _MIN_ITEMS:
        raise Unsupported(
            f"{len(nonzero):,} items need no index, {_MIN_ITEMS:,} may; similar items are exact without it."
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
    """Return the index as faiss writes it, and how many cells it has."""
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
    """Return in how many cells to look: about 1.4 times as many each time, all at the end."""
    sizes = (round(2 ** (exponent / 2)) for exponent in range(2 * cells.bit_length()))
    return [*dict.fromkeys(size for size in sizes if size < cells), cells]


def _recall(approximate: TopN, exact: TopN) -> float:
    """Return the share of places as near as the last of the exact list: among equals any is right."""
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
    """Give the library, which here and now computes with so many threads."""
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
