"""Metrics of accuracy and beyond accuracy: pure functions on arrays, one definition each.

rating            of predicted values: rmse, mae, r2
ranking           of lists and held-out items: hits; then precision, recall, capped_recall, hit_rate, ndcg,
                  average_precision, reciprocal_rank and auc, at a cutoff
beyond_accuracy   of lists alone: coverage, gini (gini_of: of any counts), information, novelty, popularity, diversity

Functions of lists return one number per list, NaN where it is undefined; coverage and gini are of all lists at once.
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
