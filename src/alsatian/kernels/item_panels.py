"""The layout of items for top-n search: panels of sixteen items, in an order that lets a search skip most panels.

A score x . y + b is at most |x| |y| + b (Cauchy-Schwarz inequality). A panel has the length of its longest vector and
its highest bias. The search skips the panel if a list already has n items above this bound. The longest items come
first, and items of similar length are sorted by bias, so that both bounds of a panel are tight.
Source: Teflioudi, Gemulla, Mykytiuk, LEMP: Fast Retrieval of Large Entries in a Matrix Product, SIGMOD 2015.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PANEL_ITEMS = 16  # items per panel
_BIAS_SORTED_ITEMS = 1024  # items of similar length that are sorted by bias at a time


class Panels(NamedTuple):
    """Items in panels.

    cells (panels, factors + 1, 16): the biases (-inf in unused cells), then the values of each factor.
    order (items): the item at each position.
    max_norm (panels): the length of the longest vector. max_bias (panels): the highest bias. Both are slightly
    increased, so that the bound also holds for rounded scores.
    """

    cells: NDArray[np.float32]
    order: NDArray[np.int32]
    max_norm: NDArray[np.float32]
    max_bias: NDArray[np.float32]


def order_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    """Return panels with empty cells for items. factors: items x k. bias: one per item, or None."""
    items, k = factors.shape
    lengths = np.sqrt(np.einsum("ij,ij->i", factors, factors, dtype=np.float64))
    highs = np.zeros(items) if bias is None else bias.astype(np.float64)
    order = np.lexsort((-highs, -lengths))
    if bias is not None:
        order = order[np.lexsort((-highs[order], np.arange(items) // _BIAS_SORTED_ITEMS))]
    starts = np.arange(0, items, PANEL_ITEMS)
    # The rounding error of a bias plus k products is below half of this share; the last term covers underflow.
    margin = (k + 8) * 2.0**-23
    bounds = lengths * (1 + margin), highs * (1 + np.copysign(margin, highs)) + k * 2.0**-100
    max_norm, max_bias = (np.maximum.reduceat(bound[order], starts) if items else bound for bound in bounds)
    return Panels(
        np.empty((len(starts), k + 1, PANEL_ITEMS), np.float32),
        order.astype(np.int32),
        *(np.nextafter(bound.astype(np.float32), np.float32(np.inf)) for bound in (max_norm, max_bias)),
    )
