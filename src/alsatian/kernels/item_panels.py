"""Items laid out for scoring: sixteen side by side, in an order that lets a list leave most of them out.

No score x . y + b is above |x| |y| + b (Cauchy and Schwarz), so a panel of items of which the longest vector and the
highest bias are known can be passed over, unseen, once a list has n better items. The longest items come first;
those of about one length are in the order of their biases, which makes both bounds of a panel tight.
Source: Teflioudi, Gemulla, Mykytiuk, LEMP: Fast Retrieval of Large Entries in a Matrix Product, SIGMOD 2015.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PANEL_ITEMS = 16  # items that lie side by side
_BIAS_SORTED_ITEMS = 1024  # of about one length: so many are sorted by bias at a time


class Panels(NamedTuple):
    """Items in panels.

    cells (panels, factors + 1, 16): the bias first (-inf where a panel has no item), then factor by factor.
    order (items): which item has which place. max_norm (panels): the length of the longest vector; max_bias (panels):
    the highest bias. Both are a little more, so that the bound holds for rounded scores, too.
    """

    cells: NDArray[np.float32]
    order: NDArray[np.int32]
    max_norm: NDArray[np.float32]
    max_bias: NDArray[np.float32]


def order_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    """Return panels for items (factors items x k, bias items or None), whose cells are still to be filled."""
    items, k = factors.shape
    lengths = np.sqrt(np.einsum("ij,ij->i", factors, factors, dtype=np.float64))
    highs = np.zeros(items) if bias is None else bias.astype(np.float64)
    order = np.lexsort((-highs, -lengths))
    if bias is not None:
        order = order[np.lexsort((-highs[order], np.arange(items) // _BIAS_SORTED_ITEMS))]
    starts = np.arange(0, items, PANEL_ITEMS)
    # Rounded, a bias and k products add up to more by less than half of this share, and what is too small for a float
    # by less than the last term.
    more = (k + 8) * 2.0**-23
    bounds = lengths * (1 + more), highs * (1 + np.copysign(more, highs)) + k * 2.0**-100
    max_norm, max_bias = (np.maximum.reduceat(bound[order], starts) if items else bound for bound in bounds)
    return Panels(
        np.empty((len(starts), k + 1, PANEL_ITEMS), np.float32),
        order.astype(np.int32),
        *(np.nextafter(bound.astype(np.float32), np.float32(np.inf)) for bound in (max_norm, max_bias)),
    )
