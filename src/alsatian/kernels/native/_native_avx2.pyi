"""The same functions as those of `_native`, compiled for AVX2 and FMA."""

from alsatian.kernels.native._native import count_lines as count_lines
from alsatian.kernels.native._native import counting_sort as counting_sort
from alsatian.kernels.native._native import gram as gram
from alsatian.kernels.native._native import half_sweep as half_sweep
from alsatian.kernels.native._native import neighbors as neighbors
from alsatian.kernels.native._native import neighbors_for as neighbors_for
from alsatian.kernels.native._native import pack_items as pack_items
from alsatian.kernels.native._native import pair_scores as pair_scores
from alsatian.kernels.native._native import read_fields as read_fields
from alsatian.kernels.native._native import row_sums as row_sums
from alsatian.kernels.native._native import sgd as sgd
from alsatian.kernels.native._native import sort_rows as sort_rows
from alsatian.kernels.native._native import squared_error as squared_error
from alsatian.kernels.native._native import supports as supports
from alsatian.kernels.native._native import top_k as top_k
from alsatian.kernels.native._native import top_n_dense as top_n_dense
from alsatian.kernels.native._native import top_n_sums as top_n_sums
