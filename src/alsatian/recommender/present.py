"""Format ranked rows as `Recommendations`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.recommender.recommendations import Reasons, Recommendations, SourceLabels
from alsatian.recommender.topn import Mask, TopN

ATTRIBUTES_SOURCE = "attributes"  # of items and users that are scored from their attributes (cold start)
FOLD_IN_SOURCE = "fold_in"  # of lists for visitors
POPULAR_SOURCE = "popular"  # of lists for unknown users


def scatter_reasons(reasons: list[list[Reasons]] | None, rows: NDArray[np.int32], n: int) -> list[list[Reasons]] | None:
    """Put the reasons at the positions of the known rows. Lists of popular items have empty reasons."""
    if reasons is None:
        return None
    known_reasons = iter(reasons)
    return [next(known_reasons) if row >= 0 else [[] for _ in range(n)] for row in rows]


def row_source_labels(rows: NDArray[np.integer], cold: Mask | None, label: str) -> list[str]:
    """Return the source of each row: "attributes" if it is scored from its attributes, else the label."""
    return [label if cold is None or not cold[row] else ATTRIBUTES_SOURCE for row in rows.tolist()]


def list_source_labels(top: TopN, cold: Mask | None, labels: Sequence[str]) -> Sequence[SourceLabels]:
    """Return the sources of lists: a label for each list, or a label for each place if it has cold items."""
    if cold is None:
        return labels
    return [
        row_source_labels(items, cold, label) if cold[items].any() else label
        for items, label in zip(top.items, labels, strict=True)
    ]


def to_recommendations(
    query_kind: Literal["user", "like", "item"],
    queries: Sequence[object],
    top: TopN,
    sources: Sequence[SourceLabels],
    data: Interactions,
    reasons: list[list[Reasons]] | None = None,
) -> Recommendations:
    """Return ranked rows as `Recommendations`, without padding."""
    valid = top.items >= 0
    return Recommendations(
        query_kind, list(queries), valid.sum(axis=1), top.items[valid], top.scores[valid], list(sources),
        data.item_ids, data.catalog, reasons,
    )  # fmt: skip
