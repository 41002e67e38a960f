"""From the best rows back to the answer that users read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.recommender.recommendations import Reasons, Recommendations, Source
from alsatian.recommender.topn import Mask, Top

ATTRIBUTES = "attributes"  # the source of what is placed by them


def spread_reasons(reasons: list[list[Reasons]] | None, rows: NDArray[np.int32], n: int) -> list[list[Reasons]] | None:
    """Put reasons at the places of the known rows; a list of what is popular has none to give."""
    if reasons is None:
        return None
    own = iter(reasons)
    return [next(own) if row >= 0 else [[] for _ in range(n)] for row in rows]


def sources_of(rows: NDArray[np.integer], placed: Mask | None, own: str) -> list[str]:
    """Return for each row its source: "attributes" for one that is placed by these."""
    return [own if placed is None or not placed[row] else ATTRIBUTES for row in rows.tolist()]


def sources_by_place(top: Top, placed: Mask | None, own: Sequence[str]) -> Sequence[Source]:
    """Return the sources of lists: the word of each, but "attributes" at places of items that are placed by these."""
    if placed is None:
        return own
    return [
        sources_of(best, placed, word) if placed[best].any() else word for best, word in zip(top.best, own, strict=True)
    ]


def arrange(
    asked: Literal["user", "like", "item"],
    queries: Sequence[object],
    top: Top,
    sources: Sequence[Source],
    data: Interactions,
    because: list[list[Reasons]] | None = None,
) -> Recommendations:
    """Turn the best rows into the answer that users see; lists are not padded."""
    real = top.best >= 0
    return Recommendations(
        asked, list(queries), real.sum(axis=1), top.best[real], top.scores[real], list(sources),
        data.item_ids, data.catalog, because,
    )  # fmt: skip
