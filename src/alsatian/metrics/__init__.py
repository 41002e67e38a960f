"""Metrics of accuracy and beyond accuracy: pure functions on arrays, with one definition each.

rating            from predicted values: rmse, mae, r2
ranking           from lists and held-out items: hits; then precision, recall, capped_recall, hit_rate, ndcg,
                  average_precision, reciprocal_rank and auc, at a cutoff
beyond_accuracy   from lists only: coverage, gini (gini_of: of any counts), information, novelty, popularity, diversity

Functions of lists return one number per list, NaN if it is undefined. coverage and gini return one number for all
lists.
"""

from alsatian.metrics.beyond_accuracy import coverage, diversity, gini, gini_of, information, novelty, popularity
from alsatian.metrics.ranking import (
    auc,
    average_precision,
    capped_recall,
    hit_rate,
    hits,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from alsatian.metrics.rating import mae, r2, rmse

__all__ = [
    "auc", "average_precision", "capped_recall", "coverage", "diversity", "gini", "gini_of", "hit_rate", "hits",
    "information", "mae", "ndcg", "novelty", "popularity", "precision", "r2", "recall", "reciprocal_rank", "rmse",
]  # fmt: skip
