"""The NumPy twins of all kernels under one name, as `alsatian.kernels` has the native ones."""

from alsatian.kernels.reference.als import gram, half_sweep
from alsatian.kernels.reference.neighbors import co_counts, neighbors, neighbors_for
from alsatian.kernels.reference.sgd import row_sums, sgd, squared_error
from alsatian.kernels.reference.sort import counting_sort, sort_rows, transpose
from alsatian.kernels.reference.text import Dictionary, count_lines, read_fields
from alsatian.kernels.reference.topk import pack_items, pair_scores, top_k, top_n_dense, top_n_sums

__all__ = [
    "Dictionary", "co_counts", "count_lines", "counting_sort", "gram", "half_sweep", "neighbors", "neighbors_for",
    "pack_items", "pair_scores", "read_fields", "row_sums", "sgd", "sort_rows", "squared_error", "top_k", "top_n_dense",
    "top_n_sums", "transpose",
]  # fmt: skip
