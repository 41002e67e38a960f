"""Blend: the weighted combination of the lists of several models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.models.ensemble.base import EnsembleModel, EnsembleUserBatch
from alsatian.models.ensemble.blend_weights import fit_weights, weights_param
from alsatian.models.ensemble.model_parameters import models_param
from alsatian.models.ensemble.rank_fusion import (
    ScoreTransform,
    fill_missing_scores,
    fuse,
    identity,
    member_scores,
    members_that_score,
    reciprocal_ranks,
    z_score,
)
from alsatian.recommender import resolve, topn
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask, TopN
from alsatian.split import holdout

VALIDATION_VALUES_PER_USER = 5  # values per user that weights="fit" holds out
MAX_VALIDATION_USERS = 5000  # weights are evaluated on at most this many random users


class Blend(EnsembleModel):
    """Combines the lists of several models by weights; use it when different models rank better together.

    The members are fitted on the same data. Their weights w sum to 1.

    by="rank": weighted reciprocal rank fusion (Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods"; the paper has equal weights):

        score(u, i) = sum over members p of  w_p / (60 + rank_p(u, i))

    by="score": the weighted mean of the members' scores. If all members predict ratings, the ratings are averaged, so
    the blend predicts ratings, too. Otherwise the scores of each member are first scaled to mean 0 and standard
    deviation 1 over the items of the user (Montague and Aslam 2001, "Relevance score normalization for metasearch").

    Every member ranks all unseen items of a user, so the length and the filters of a list never change its order. Users
    are ranked in chunks, which bounds the memory.

    A member can score users and items that have values, or that it scores from attributes. If it cannot score a pair,
    the mean of the other members' scores is used.

    weights="fit" holds out five values of each user and fits the members on the rest. It takes the weights of an even
    grid whose lists have the highest NDCG@10, and fits the members again on all data.

    Learned: fitted_weights (members), which sum to 1; and the arrays of each member, "0.item_factors" and so on.
    Score: as above; at most 1/61 with by="rank".
    Cost of a list: a full ranking by each member. Fitting the weights costs a second fit of each member.

    >>> blend = Blend(members=["implicit-als", "popularity"], weights=[0.9, 0.1])
    """

    source_label: ClassVar[str] = "blend"
    members: tuple[Model, ...] = models_param(default=("implicit-als", "popularity"), doc="the models to combine")
    weights: tuple[float, ...] | str = weights_param(
        default="fit", doc="a number for each member, or fit: chosen on values held out of the data"
    )
    by: str = param(default="rank", doc="combine the ranks or the scores of the members", choices=("rank", "score"))
    seed: int = param(default=0, doc="random seed of the validation values and users of weights='fit'", low=0)

    def _check_params(self) -> None:
        if self.weights != "fit" and len(self.weights) != len(self.members):
            raise ParameterError(
                f"weights has {len(self.weights)} numbers for {len(self.members)} members; pass one for each, or 'fit'."
            )

    @property
    def state_arrays(self) -> tuple[str, ...]:  # type: ignore[override]
        """The fitted weights, and the arrays of all members."""
        return ("fitted_weights", *super().state_arrays)

    @property
    def predicts_ratings(self) -> bool:
        """Whether scores are combined and every member predicts ratings."""
        return self.by == "score" and all(member.predicts_ratings for member in self.members)

    @property
    def fit_note(self) -> str:
        shares = zip(self.members, self.fitted_weights, strict=True)
        return f"weights {', '.join(f'{member.name} {weight:.2f}' for member, weight in shares)}"

    # Fitting

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        check_shapes(state, {"fitted_weights": (len(self.members),)})
        super().validate_state(data, state)

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        shares = (
            self._fit_weights(data, run)
            if isinstance(self.weights, str)
            else np.divide(self.weights, sum(self.weights))
        )
        return super().fit_state(data, run) | {"fitted_weights": shares.astype(np.float32)}

    def build_caches(self) -> None:
        self.fitted_weights: NDArray[np.float32]
        super().build_caches()

    def _fit_weights(self, data: Interactions, run: FitRun) -> NDArray[np.float32]:
        """Return the weights that rank the held-out values best. Raises DataError if no user has two values."""
        if data.by_user.counts.max() < 2:
            raise DataError("weights='fit' holds out values, and no user has two or more; pass weights=[...].")
        split = holdout.split_per_user(data, VALIDATION_VALUES_PER_USER, self.seed)
        validation_users = np.flatnonzero(split.held_out.by_user.counts).astype(np.int32)
        if len(validation_users) > MAX_VALIDATION_USERS:
            validation_users = np.sort(
                np.random.default_rng(self.seed).choice(validation_users, MAX_VALIDATION_USERS, replace=False)
            )
        blend = Blend(**self.params | {"weights": [1] * len(self.members)})
        blend.fit(split.train, threads=run.threads, progress=run.progress, callbacks=run.callbacks)
        return fit_weights(
            blend._member_scores(validation_users, run.threads),
            split.held_out.by_user.take(validation_users),
            len(self.members),
        )

    def _member_scores(
        self, users: NDArray[np.int32], threads: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        batch = self.encode_users(users)
        for rows in topn.row_chunks(users, len(self.data.item_ids)):
            rankings = self._rankings(batch, rows, True, threads)
            yield from member_scores(
                rankings, self._user_coverage(batch, rows), self._item_coverage, self._score_transform
            )

    # Scores

    def rank(self, batch: EnsembleUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        chunks = topn.row_chunks(batch.rows, len(self.data.item_ids))
        rankings = (
            (self._rankings(batch, rows, exclude_seen, threads), self._user_coverage(batch, rows)) for rows in chunks
        )
        return self._fuse_rankings(rankings, self._score_transform, n, allowed)

    @property
    def supports_similar(self) -> bool:
        return any(member.supports_similar for member in self.members)

    @property
    def supports_predict(self) -> bool:
        return self.predicts_ratings

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        """Blend the similar items of the members that support them."""
        items = len(self.data.item_ids)
        members = [member for member, model in enumerate(self.members) if model.supports_similar]
        if not members:
            return super().rank_similar(rows, n, allowed, threads)
        rankings = (
            (
                [self.members[member].rank_similar(chunk, items, None, threads) for member in members],
                self._item_coverage[chunk][:, members],
            )
            for chunk in topn.row_chunks(rows, items)
        )
        return self._fuse_rankings(rankings, reciprocal_ranks if self.by == "rank" else z_score, n, allowed, members)

    def score_pairs(self, batch: EnsembleUserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        if not self.predicts_ratings:
            return super().score_pairs(batch, items)
        member_batches = zip(self.members, batch.batches_of_members(batch.rows), strict=True)
        scores = np.column_stack([member.score_pairs(member_batch, items) for member, member_batch in member_batches])
        coverage = members_that_score(
            self._user_coverage(batch, batch.rows), self._item_coverage[items] & (items >= 0)[:, None]
        )
        return np.asarray((fill_missing_scores(scores, coverage) * self.fitted_weights).sum(axis=1), np.float32)

    @property
    def _score_transform(self) -> ScoreTransform:
        return reciprocal_ranks if self.by == "rank" else identity if self.predicts_ratings else z_score

    @property
    def _item_coverage(self) -> Mask:
        """The mask of the items that each member can score (items, members)."""
        counts = self.data.item_counts
        return np.column_stack([resolve.can_score(slice(None), counts, member.cold_items) for member in self.members])

    def _user_coverage(self, batch: EnsembleUserBatch, rows: NDArray[np.int32]) -> Mask:
        """Return the mask of the users that each member can score (users, members). No member can score row -1."""
        counts = batch.histories.counts
        coverage = [
            resolve.can_score(rows, counts, member_batch.from_attributes) & (rows >= 0)
            for member_batch in batch.member_batches
        ]
        return np.column_stack(coverage)

    def _rankings(
        self, batch: EnsembleUserBatch, rows: NDArray[np.int32], exclude_seen: bool, threads: int
    ) -> list[TopN]:
        """Return the full ranking of each member for the given users."""
        items, member_batches = len(self.data.item_ids), zip(self.members, batch.batches_of_members(rows), strict=True)
        return [
            member.rank(member_batch, items, exclude_seen, None, threads) for member, member_batch in member_batches
        ]

    def _fuse_rankings(
        self,
        chunks: Iterable[tuple[list[TopN], Mask]],
        transform: ScoreTransform,
        n: int,
        allowed: Mask | None,
        members: Sequence[int] | slice = slice(None),
    ) -> TopN:
        """Return the n best items by the weighted sum of the members' transformed scores, chunk by chunk."""
        items, weights = self._item_coverage[:, members], self.fitted_weights[None, members]
        user_scores = (
            user_ranking
            for rankings, coverage in chunks
            for user_ranking in member_scores(rankings, coverage, items, transform)
        )
        return topn.concat((fuse(rows, score_table, weights, n, allowed) for rows, score_table in user_scores), n)
