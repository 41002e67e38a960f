from alsatian.kernels._native import counting_sort as counting_sort
from alsatian.kernels._native import gram as gram
from alsatian.kernels._native import half_sweep as half_sweep
from alsatian.kernels._native import pack_items as pack_items
from alsatian.kernels._native import pair_scores as pair_scores
from alsatian.kernels._native import supports as supports
from alsatian.kernels._native import top_k as top_k
