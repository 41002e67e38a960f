"""Several models as one: their lists combined by weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.models.ensemble.base import Combined, views
from alsatian.models.ensemble.blend_weights import search, weights_param
from alsatian.models.ensemble.model_parameters import models_param
from alsatian.models.ensemble.rank_fusion import (
    Measure,
    as_they_are,
    by_rank,
    filled,
    opinions,
    ranked,
    speaking,
    standard,
)
from alsatian.recommender import resolve, topn
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, Mask, Top
from alsatian.split import holdout

HELD_OUT = 5  # values of each user that weights="fit" holds out
JUDGES = 5000  # users, drawn at random, on whom it judges


class Blend(Combined):
    """Several models fitted on the same data, their lists combined by weights w that sum to 1.

    by="rank": weighted reciprocal rank fusion (Cormack, Clarke and Buettcher 2009, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods", with equal weights there):

        score(u, i) = sum over parts p of  w_p / (60 + rank_p(u, i))

    by="score": the weighted mean of the parts' scores. Where all parts predict values, these are averaged as they are,
    so the blend predicts values, too. Else each part's scores are first brought to mean 0 and standard deviation 1
    over the person's items (Montague and Aslam 2001, "Relevance score normalization for metasearch").

    Every part ranks all items that the person may be told of (all unseen ones), whatever a list's length and filters
    are, which therefore never change an order. People are taken some at a time, which bounds the memory.

    A part knows people and items that have values, or that it places by attributes. Of those that it does not know but
    another part does, it says what these say on average.

    weights="fit" holds five values of each user out, fits the parts on the rest, takes the weights of an even lattice
    over all there are whose lists have the highest NDCG@10, and fits the parts again on everything.

    Learned: shares (parts), the weights as they sum to 1; and what each part learns, "0.item_factors" and so on.
    Score: as above; at most 1/61 for by="rank". Cost of a list: a full ranking by each part. Fitting the weights costs
    a second fit of each part.

    >>> blend = Blend(parts=["implicit-als", "popularity"], weights=[0.9, 0.1])
    """

    source: ClassVar[str] = "blend"
    parts: tuple[Model, ...] = models_param(default=("implicit-als", "popularity"), doc="the models to combine")
    weights: tuple[float, ...] | str = weights_param(
        default="fit", doc="a number for each part, or fit: found on values held out of the data"
    )
    by: str = param(default="rank", doc="what is combined", choices=("rank", "score"))
    seed: int = param(default=0, doc="of the values and users that weights='fit' holds out", low=0)

    def _check_params(self) -> None:
        if self.weights != "fit" and len(self.weights) != len(self.parts):
            raise ParameterError(
                f"weights has {len(self.weights)} numbers for {len(self.parts)} parts; pass one for each, or 'fit'."
            )

    @property
    def models(self) -> Sequence[Model]:
        return self.parts

    @property
    def learned(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("shares", *super().learned)

    @property
    def predicts(self) -> bool:
        return self.by == "score" and all(part.predicts for part in self.parts)

    @property
    def remark(self) -> str:
        shares = zip(self.parts, self.shares, strict=True)
        return f"weights {', '.join(f'{part.name} {share:.2f}' for part, share in shares)}"

    # Fitting

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        check_shapes(learned, {"shares": (len(self.parts),)})
        super().check_learned(data, learned)

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        shares = self._found(data, run) if isinstance(self.weights, str) else np.divide(self.weights, sum(self.weights))
        return super()._fit(data, run) | {"shares": shares.astype(np.float32)}

    def _prepare(self) -> None:
        self.shares: NDArray[np.float32]
        super()._prepare()

    def _found(self, data: Interactions, run: Run) -> NDArray[np.float32]:
        """Return the weights that rank best what is held out of the data."""
        if data.by_user.counts.max() < 2:
            raise DataError("weights='fit' holds values out, and nobody has two or more; pass weights=[...].")
        held = holdout.per_user(data, HELD_OUT, self.seed)
        judges = np.flatnonzero(held.held_out.by_user.counts).astype(np.int32)
        if len(judges) > JUDGES:
            judges = np.sort(np.random.default_rng(self.seed).choice(judges, JUDGES, replace=False))
        trial = Blend(**self.params | {"weights": [1] * len(self.parts)})
        trial.fit(held.train, threads=run.threads, progress=run.progress, callbacks=run.callbacks)
        return search(trial._opinions(judges, run.threads), held.held_out.by_user.take(judges), len(self.parts))

    def _opinions(
        self, users: NDArray[np.int32], threads: int
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        audience = self._known(users)
        for rows in topn.blocks(users, len(self.data.item_ids)):
            rankings = self._rankings(audience, rows, True, threads)
            yield from opinions(rankings, self._people(audience, rows), self._items, self._measure)

    # Answers

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        blocks = topn.blocks(audience.rows, len(self.data.item_ids))
        tops = (
            (self._rankings(audience, rows, exclude_seen, threads), self._people(audience, rows)) for rows in blocks
        )
        return self._joined(tops, self._measure, n, allowed)

    @property
    def _knows_similar(self) -> bool:
        return any(part._knows_similar for part in self.parts)

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        """Blend what the parts that know similar items say of them."""
        items, able = len(self.data.item_ids), [at for at, part in enumerate(self.parts) if part._knows_similar]
        if not able:
            return super()._most_similar(rows, n, allowed, threads)
        tops = (
            ([self.parts[at]._most_similar(some, items, None, threads) for at in able], self._items[some][:, able])
            for some in topn.blocks(rows, items)
        )
        return self._joined(tops, by_rank if self.by == "rank" else standard, n, allowed, able)

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        if not self.predicts:
            return super()._predict(audience, items)
        people = zip(self.parts, views(audience, audience.rows), strict=True)
        said = np.column_stack([part._predict(view, items) for part, view in people])
        speaks = speaking(self._people(audience, audience.rows), self._items[items] & (items >= 0)[:, None])
        return np.asarray((filled(said, speaks) * self.shares).sum(axis=1), np.float32)

    @property
    def _measure(self) -> Measure:
        return by_rank if self.by == "rank" else as_they_are if self.predicts else standard

    @property
    def _items(self) -> Mask:
        """Which items each part knows (items, parts)."""
        counts = self.data.item_counts
        return np.column_stack([resolve.are_known(slice(None), counts, part.placed_items) for part in self.parts])

    def _people(self, audience: Audience, rows: NDArray[np.int32]) -> Mask:
        """Which of these people each part knows (people, parts); nobody knows row -1."""
        counts = audience.seen.counts
        known = [resolve.are_known(rows, counts, view.placed) & (rows >= 0) for view in audience.views]
        return np.column_stack(known)

    def _rankings(self, audience: Audience, rows: NDArray[np.int32], exclude_seen: bool, threads: int) -> list[Top]:
        """Return each part's whole ranking for these people."""
        items, people = len(self.data.item_ids), zip(self.parts, views(audience, rows), strict=True)
        return [part._best(view, items, exclude_seen, None, threads) for part, view in people]

    def _joined(
        self,
        blocks: Iterable[tuple[list[Top], Mask]],
        measure: Measure,
        n: int,
        allowed: Mask | None,
        parts: Sequence[int] | slice = slice(None),
    ) -> Top:
        """Return the n best by the weighted sum of what these parts' rankings, some people's at a time, say."""
        items, shares = self._items[:, parts], self.shares[None, parts]
        people = (person for tops, knows in blocks for person in opinions(tops, knows, items, measure))
        return topn.stacked((ranked(rows, says, shares, n, allowed) for rows, says in people), n)
