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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.progress_bar import steps
from alsatian.errors import DependencyError, ParameterError, Unsupported
from alsatian.kernels import usable_threads
from alsatian.models.factors.factor_model import FactorModel, directions
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask, Top

_LEAST = 1_000  # items; fewer are quickly looked through
_TOGETHER = 8  # items that are asked for at once; for more of them exact lists share the reading and are as fast
_LONGEST = 100  # of a list; longer ones are exact
_N, _ASKED, _TIMED = 10, 500, 100  # the lists by which an index is judged, and how many of them are timed
_SPARE = 5  # more that are asked for: the item itself, and what half precision may put in another order
_ROUNDING = 1e-6  # of cosines
_LISTS = 152  # bytes that faiss writes before its lists, beside the centers of the cells
_SAMPLE = 50  # items to a cell, from which its center is learned; faiss wants 39
_STEP = 65_536  # items that are added at a time
Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Measured:
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
    def pays(self) -> bool:
        """Whether it takes half the time at most."""
        return 2 * self.milliseconds <= self.exact


class SimilarIndex:
    """The index of a model, made by `index`. stored: what faiss writes, which may be mapped; it is not copied.

    It is opened at its first use. Where it cannot be (the library is missing, the bytes are no such index), a warning
    says why, and answers are exact.
    """

    def __init__(self, stored: NDArray[np.uint8], measured: Measured, shape: tuple[int, ...]) -> None:
        self.stored, self.measured, self.shape = stored, measured, shape

    def __reduce__(self) -> tuple[Any, ...]:
        return SimilarIndex, (self.stored, self.measured, self.shape)

    def answers(self, asked: int, n: int, allowed: Mask | None) -> bool:
        """Tell whether lists are made with it: a few short ones without filters."""
        return asked <= _TOGETHER and n <= _LONGEST and allowed is None and self.opened is not None

    @cached_property
    def opened(self) -> Any:
        """The index as faiss has it, or None."""
        try:
            return self._open()
        except (DependencyError, MemoryError, TypeError, ValueError) as error:
            warnings.warn(f"similar items are found without the index of the model: {error}", stacklevel=6)
            return None

    def _open(self) -> Any:
        """Read the index where it lies, and check that it is one of items x factors in memory, and of no other kind."""
        (items, factors), cells = self.shape, self.measured.cells
        lists = _LISTS + 4 * cells * factors  # where it says of which kind the lists are; others name files to open
        if self.stored.dtype != np.uint8 or [bytes(self.stored[at : at + 4]) for at in (0, lists)] != [
            b"IwSq",
            b"ilar",
        ]:
            raise ValueError("it is damaged")
        with _faiss(1) as faiss:
            try:
                opened = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(self.stored), self.stored.size))
            except RuntimeError:
                raise ValueError("faiss cannot read it") from None
        found = (opened.ntotal, opened.d, opened.nlist, opened.code_size)
        if found != (items, factors, cells, 2 * factors) or not 1 <= self.measured.probes <= cells:
            raise ValueError(f"it is of {opened.ntotal:,} items x {opened.d}, not of {items:,} x {factors}")
        return opened

    def most_similar(self, model: FactorModel, rows: Rows, n: int) -> Top:
        """Return n items like each, without itself, and their cosines; fewer where the cells searched hold fewer."""
        points = directions(model._item_points(rows))
        with _faiss(1) as faiss:  # more threads would hang in a process that was forked
            wanted = faiss.SearchParametersIVF(nprobe=self.measured.probes)
            found = self.opened.search(points, n + _SPARE, params=wanted)[1]
        found = np.where(found < self.shape[0], found, -1).astype(np.int32)
        cosines = np.einsum("qk,qnk->qn", points, directions(model._item_points(found)))
        cosines[(found < 0) | (found == rows[:, None])] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
        best, scores = np.take_along_axis(found, order, 1), np.take_along_axis(cosines, order, 1)
        best[scores == -np.inf] = -1
        return Top(best, scores)

    def to_json(self) -> dict[str, Any]:
        return asdict(self.measured)


def index(
    model: Model, *, recall: float = 0.95, threads: int | None = None, progress: bool | None = None
) -> SimilarIndex:
    """Give a model an index for `similar`, which `save` keeps, and return it.

    What stays exact: lists with filters, lists longer than 100, and lists for more than 8 items at once.
    recall: the share of the ten most similar items that it is to find; set on some items, measured on others. What was
    reached, and the time that it saves, is in `measured`, and whether it pays. A million items take half a minute; a
    fit drops the index. (faiss counts on threads that a forked process lacks: there, pass threads=1.)
    Raises ParameterError, Unsupported for models without factors or with few items, DependencyError without faiss.
    """
    if not isinstance(recall, float | int | np.floating) or not 0 < recall <= 1:
        raise ParameterError(f"recall={recall!r} is no share; pass more than 0, and 1 at most.")
    if not isinstance(model, FactorModel):
        raise Unsupported(f"{model.name} has no factors of items to index; explicit-als and implicit-als have.")
    points, threads = model.fitted._directions[0], usable_threads(threads)
    known = np.flatnonzero(points.any(axis=1)).astype(np.int32)
    if len(known) < _LEAST:
        raise Unsupported(f"{len(known):,} items need no index, {_LEAST:,} may; similar items are exact without it.")
    stored, cells = _parted(points, known, threads, progress)
    asked = np.random.default_rng(0).permutation(known)
    setting, judging = asked[:_ASKED], asked[_ASKED : 2 * _ASKED]
    exact = model._exactly_similar(setting, _N, None, threads)
    for probes in _tried(cells):
        made = SimilarIndex(stored, Measured(float(recall), 0, 0, 0, probes, cells), points.shape)
        if _recall(made.most_similar(model, setting, _N), exact) >= recall:
            break
    reached = _recall(made.most_similar(model, judging, _N), model._exactly_similar(judging, _N, None, threads))
    quick = _milliseconds(lambda row: made.most_similar(model, row, _N), judging)
    slow = _milliseconds(lambda row: model._exactly_similar(row, _N, None, 1), judging)
    made.measured = Measured(float(recall), reached, quick, slow, probes, cells)
    model.index = made
    return made


def _parted(
    points: NDArray[np.float32], known: Rows, threads: int, progress: bool | None
) -> tuple[NDArray[np.uint8], int]:
    """Return the index as faiss writes it, and how many cells it has."""
    cells = min(round(4 * math.sqrt(len(known))), len(known) // _SAMPLE)
    sample = np.random.default_rng(1).choice(known, cells * _SAMPLE, replace=False)
    starts = range(0, len(points), _STEP)
    with _faiss(threads) as faiss, steps("index", len(starts) + 1, progress) as step:
        made = faiss.index_factory(points.shape[1], f"IVF{cells},SQfp16", faiss.METRIC_INNER_PRODUCT)
        step(f"{cells:,} cells")
        made.train(points[np.sort(sample)])
        for start in starts:
            step(f"{start:,} of {len(points):,} items")
            made.add(points[start : start + _STEP])
        return faiss.serialize_index(made), cells


def _tried(cells: int) -> list[int]:
    """Return in how many cells to look: about 1.4 times as many each time, all at the end."""
    sizes = (round(2 ** (half / 2)) for half in range(2 * cells.bit_length()))
    return [*dict.fromkeys(size for size in sizes if size < cells), cells]


def _recall(found: Top, exact: Top) -> float:
    """Return the share of places as near as the last of the exact list: among equals any is right."""
    return float((found.scores >= exact.scores[:, -1:] - _ROUNDING).mean())


def _milliseconds(make: Callable[[Rows], Top], rows: Rows) -> float:
    taken = []
    for row in rows[:_TIMED, None]:
        begun = time.perf_counter()
        make(row)
        taken.append(time.perf_counter() - begun)
    return 1000 * statistics.median(taken)


@contextmanager
def _faiss(threads: int) -> Iterator[Any]:
    """Give the library, which here and now computes with so many threads."""
    try:
        import faiss
    except ImportError:
        raise DependencyError("an index of similar items needs faiss: pip install 'alsatian[index]'.") from None
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)
