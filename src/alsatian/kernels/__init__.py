"""The numerical kernels. Other packages import them from here, not from the modules.

`native/` has the compiled kernels and documents what each computes. `reference/` has the same kernels in NumPy, for
tests. `types` has the arrays that both take, and `item_panels` the layout of items for top-n lists.
"""

from alsatian.kernels.item_panels import Panels
from alsatian.kernels.native.als import gram, half_sweep
from alsatian.kernels.native.build import instruction_set
from alsatian.kernels.native.neighbors import co_counts, neighbors, neighbors_for
from alsatian.kernels.native.sgd import row_sums, sgd, squared_error
from alsatian.kernels.native.sort import counting_sort, sort_rows, transpose
from alsatian.kernels.native.text import Dictionary, count_lines, read_fields
from alsatian.kernels.native.topk import pack_items, pair_scores, top_k, top_n_dense, top_n_sums
from alsatian.kernels.types import (
    CACHE_LINE_FLOATS,
    CHUNK_BYTES,
    NO_ROW_IS_AS_LONG,
    Blocks,
    Rows,
    SgdSide,
    Side,
    Sparse,
    StepRule,
    TextFile,
    Weighting,
    usable_threads,
    weighted_entries,
)

__all__ = [
    "CACHE_LINE_FLOATS", "CHUNK_BYTES", "NO_ROW_IS_AS_LONG", "Blocks", "Dictionary", "Panels", "Rows", "SgdSide",
    "Side", "Sparse", "StepRule", "TextFile", "Weighting", "co_counts", "count_lines", "counting_sort", "gram",
    "half_sweep", "instruction_set", "neighbors", "neighbors_for", "pack_items", "pair_scores", "read_fields",
    "row_sums", "sgd", "sort_rows", "squared_error", "top_k", "top_n_dense", "top_n_sums", "transpose",
    "usable_threads", "weighted_entries",
]  # fmt: skip
