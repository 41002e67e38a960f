"""The path of every recommendation request: resolve ids, rank with the hooks of the model, present the lists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alsatian import kernels
from alsatian.data.id_map import Id
from alsatian.recommender import present, resolve, topn
from alsatian.recommender.novelty import rank_with_novelty
from alsatian.recommender.options import RankOptions, RecommendOptions
from alsatian.recommender.recommendations import Recommendations
from alsatian.recommender.scorer import Scorer
from alsatian.recommender.topn import TopN
from alsatian.recommender.user_batch import BatchT


def rank(scorer: Scorer[BatchT], batch: BatchT, options: RankOptions, threads: int) -> TopN:
    """Return the best items of each user of a batch, as row numbers."""
    if options.novelty:
        return rank_with_novelty(scorer, batch, *options, threads)
    return scorer.rank(batch, options.n, options.exclude_seen, options.allowed, threads)


def recommend_to_users(
    scorer: Scorer, users: object, options: RecommendOptions, threads: int | None = None
) -> Recommendations:
    """Return the list of each user: one id, several, or None for all. Raises UnknownUser, UnknownItem, ParameterError.

    threads: how many to use (None: all processors).
    """
    data = scorer.fitted.data
    user_ids, rows = resolve.user_rows(data, users, options.unknown, scorer.cold_users)
    rank_options = options.for_ranking(data)
    known = np.flatnonzero(rows >= 0)
    batch = scorer.encode_users(rows[known])
    top = rank(scorer, batch, rank_options, kernels.usable_threads(threads))
    reasons = scorer.reasons(batch, top) if options.reasons else None
    labels = present.row_source_labels(batch.rows, batch.from_attributes, scorer.source_label)
    sources = list(scorer.source_labels(top, labels))
    if len(known) < len(rows):
        popular = topn.most_popular(data, rank_options.n, rank_options.allowed)
        top = topn.scatter(top, known, len(rows), popular)
        known_sources = iter(sources)
        sources = [next(known_sources) if row >= 0 else present.POPULAR_SOURCE for row in rows]
        reasons = present.scatter_reasons(reasons, rows, rank_options.n)
    return present.to_recommendations("user", user_ids, top, sources, data, reasons)


def recommend_to_visitor(
    scorer: Scorer[BatchT], batch: BatchT, likes: Sequence[Id], options: RecommendOptions, threads: int | None = None
) -> Recommendations:
    """Return the list of a visitor, a batch of one history. Raises UnknownItem, ParameterError.

    likes: the titles (or ids) of the visitor's items. threads: how many to use (None: all processors).
    """
    data = scorer.fitted.data
    top = rank(scorer, batch, options.for_ranking(data), kernels.usable_threads(threads))
    reasons = scorer.reasons(batch, top) if options.reasons else None
    sources = scorer.source_labels(top, [present.FOLD_IN_SOURCE])
    return present.to_recommendations("like", [list(likes)], top, sources, data, reasons)


def popular_recommendations(scorer: Scorer, user: object, options: RecommendOptions) -> Recommendations:
    """Return the most popular items as the list of one unknown user."""
    data = scorer.fitted.data
    rank_options = options.for_ranking(data)
    popular = topn.most_popular(data, rank_options.n, rank_options.allowed)
    return present.to_recommendations("user", [user], popular, [present.POPULAR_SOURCE], data)
