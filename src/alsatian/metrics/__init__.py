"""Measures of accuracy and of more than accuracy: pure functions on arrays, one definition each.

rating.py     of predicted values: rmse, mae, r2
recommender/recommendations.py    of lists beside what people had: hits; then precision, recall, capped_recall, hit_rate, ndcg,
              average_precision, reciprocal_rank and auc, of each list's first places
beyond_accuracy.py     of lists alone: coverage, gini (gini_of: of any counts), information, novelty, popularity, diversity

Functions of lists return a number for each list, NaN where there is none; coverage and gini are of all lists at once.
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
