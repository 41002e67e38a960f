"""Answers found the plain way: dense matrices and loops, straight from the definitions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.kernels import Side
from support.problems import Problem

Dense = NDArray[np.float64]


def cells(data: Interactions, values: Any = None) -> Dense:
    """Return the matrix of the values (or of other numbers, one per entry), zero where there is none."""
    matrix = np.zeros((len(data.user_ids), len(data.item_ids)))
    matrix[data.users, data.items] = data.values if values is None else values
    return matrix


def objective(
    confidence: Dense,
    target: Dense,
    w0: float,
    user_factors: Dense,
    item_factors: Dense,
    user_ridge: Dense,
    item_ridge: Dense,
    user_bias: Dense | None = None,
    item_bias: Dense | None = None,
    mean: float = 0.0,
) -> float:
    """Return L of the design, every cell of it; `confidence` is NaN where nothing was observed.

    L = sum over observed (u,i) of  c_ui (t_ui - m - b_u - b_i - x_u.y_i)^2
        + w0 sum over unobserved (u,i) of (x_u.y_i)^2
        + sum_u r_u (|x_u|^2 + b_u^2) + sum_i r_i (|y_i|^2 + b_i^2)
    """
    users, items = np.asarray(user_factors, np.float64), np.asarray(item_factors, np.float64)
    b_u = np.zeros(len(users)) if user_bias is None else np.asarray(user_bias, np.float64)
    b_i = np.zeros(len(items)) if item_bias is None else np.asarray(item_bias, np.float64)
    scores = mean + b_u[:, None] + b_i + users @ items.T
    observed = ~np.isnan(confidence)
    total = float((confidence[observed] * (target[observed] - scores[observed]) ** 2).sum())
    total += w0 * float((scores[~observed] ** 2).sum()) if w0 else 0.0
    total += float(user_ridge @ ((users**2).sum(axis=1) + b_u**2))
    return total + float(item_ridge @ ((items**2).sum(axis=1) + b_i**2))


def half_objective(p: Problem, solution: Side) -> float:
    """Return the part of L that a half-sweep minimizes: one side free, no regularization of the fixed one."""
    lengths = np.diff(p.rows.indptr)
    cells = (np.repeat(np.arange(len(lengths)), lengths), p.rows.indices)
    confidence, target = np.full((2, len(lengths), len(p.fixed.factors)), np.nan)
    v = p.rows.values.astype(np.float64)
    w = np.ones(len(v)) if p.rows.weights is None else p.rows.weights.astype(np.float64)
    confidence[cells] = w * (p.form.confidence_slope * v + p.form.confidence_shift)
    target[cells] = w * (p.form.target_slope * v + p.form.target_shift) / confidence[cells]
    no_ridge = np.zeros(len(p.fixed.factors))
    ridge = p.ridge.astype(np.float64)
    sides = (solution.factors, p.fixed.factors, ridge, no_ridge, solution.bias, p.fixed.bias)
    return objective(confidence, target, p.form.unobserved, *sides)


def ranking_metrics(top_items: Sequence[int], relevant: set[int], n: int, candidates: int) -> dict[str, float]:
    """Return the measures of one list's first n places, each in plain Python from its definition."""
    places = list(top_items[:n])
    hits = [place for place, item in enumerate(places, 1) if item in relevant]
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(n, len(relevant)) + 1))
    negatives = [item for item in range(candidates) if item not in relevant]

    def place(item: int) -> int:
        return places.index(item) if item in places else n

    pair_scores = [(place(a) < place(b)) + (place(a) == place(b)) / 2 for a in relevant for b in negatives]
    return {
        "precision": len(hits) / n,
        "recall": len(hits) / len(relevant),
        "capped_recall": len(hits) / min(n, len(relevant)),
        "hit_rate": float(bool(hits)),
        "ndcg": sum(1 / math.log2(place + 1) for place in hits) / ideal,
        "average_precision": sum((index + 1) / place for index, place in enumerate(hits)) / len(relevant),
        "reciprocal_rank": 1 / hits[0] if hits else 0.0,
        "auc": sum(pair_scores) / len(pair_scores) if pair_scores else math.nan,
    }


def ndcg(lists: Sequence[Sequence[int]], held_out: Sequence[Iterable[int]], n: int) -> list[float]:
    """Return each user's NDCG@n; users without held-out items are left out."""
    users = [(top_items, set(relevant)) for top_items, relevant in zip(lists, held_out, strict=True)]
    return [ranking_metrics(top_items, relevant, n, 0)["ndcg"] for top_items, relevant in users if relevant]
