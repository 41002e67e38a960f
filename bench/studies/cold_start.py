"""Cold items and users placed by attributes: a tenth of the items, or of the users, have all their values held out.

python bench/attributes.py choose DATA_FOLDER   # power of the counts, and columns, on cold parts of the training parts
python bench/attributes.py test DATA_FOLDER     # the cold tenths of ml-100k.tar.gz and ml-latest-small.tar.gz

RMSE is over the held-out ratings, clipped to the scale; NDCG@10 over the people who have held-out values: of cold items
alone for items, of all items for users. Every figure is the mean over three draws of the tenth.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import alsatian as al
from alsatian import metrics
from alsatian.models import attributes
from data import unpacked

SEEDS, SHARE = range(3), 0.1
ITEMS, USERS = "genres,year", "age,gender,occupation"
Figures = dict[str, float]


class Cold(NamedTuple):
    """Data without the values of some items, or users; these values; and whose they are."""

    train: al.Interactions
    held_out: al.Interactions
    cold: np.ndarray


def part(data: al.Interactions, side: str, seed: int) -> Cold:
    """Hold out all values of a tenth of the items, or users, that have any."""
    rows, count = (data.items, len(data.item_ids)) if side == "item" else (data.users, len(data.user_ids))
    cold = np.random.default_rng([seed, 7]).random(count) < SHARE
    return Cold(data.where(~cold[rows]), data.where(cold[rows]), cold)


def ratings(cold: Cold, side: str, names: str) -> Figures:
    """Return RMSE: of the mean, of the mean and the other side's bias, and by attributes."""
    train, held_out, _ = cold
    plain = al.ExplicitALS().fit(train, progress=False)
    placed = al.ExplicitALS(**{f"{side}_attributes": names}).fit(train, progress=False)
    predicted = (m.predict_rows(held_out.users, held_out.items, clip=True) for m in (plain, placed))
    told = (np.full(len(held_out), train.mean), *predicted)
    return dict(
        zip(
            ("RMSE of mean", "of mean and bias", "by attributes"),
            (metrics.rmse(each, held_out.values) for each in told),
            strict=True,
        )
    )


def item_lists(cold: Cold, names: str) -> Figures:
    """Return NDCG@10 of lists of cold items alone: at random (the mean of ten orders), and by attributes."""
    train, held_out, _ = cold
    people = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
    relevant, choice = held_out.by_user.take(people), np.flatnonzero(cold.cold)
    rng = np.random.default_rng(0)
    orders = (np.array([rng.permutation(choice)[:10] for _ in people], np.int32) for _ in range(10))
    model = al.ImplicitALS(factors=32, item_attributes=names).fit(train, progress=False)
    best = model._best(model._known(people), 10, True, cold.cold, 2).best
    chance = float(np.mean([metrics.ndcg(order, relevant).mean() for order in orders]))
    return {"NDCG@10 at random": chance, "NDCG@10 by attributes": float(metrics.ndcg(best, relevant).mean())}


def user_lists(cold: Cold, names: str) -> Figures:
    """Return NDCG@10 of cold users' lists: what is popular, and by attributes."""
    train, held_out, _ = cold
    people = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
    models = (al.Popularity(), al.ImplicitALS(factors=32, user_attributes=names))
    tops = (m.fit(train, progress=False)._best(m._known(people), 10, True, None, 2).best for m in models)
    found = (float(metrics.ndcg(top, held_out.by_user.take(people)).mean()) for top in tops)
    return dict(zip(("NDCG@10 of popularity", "by attributes"), found, strict=True))


def everybody(data: al.Interactions, seed: int) -> Figures:
    """Return NDCG@10 of everybody's lists, ten likes a user and a tenth of the items held out; and who is in them."""
    split = al.split.per_user(data, n=10, seed=seed)
    train, _, cold = part(split.train, "item", seed)
    people = np.flatnonzero(split.held_out.by_user.counts).astype(np.int32)
    relevant, found = split.held_out.by_user.take(people), {}
    for name, settings in (("without", {}), ("attributes", {"item_attributes": ITEMS})):
        model = al.ImplicitALS(factors=32, **settings).fit(train, progress=False)
        best = model._best(model._known(people), 10, True, None, 2).best
        found |= {name: float(metrics.ndcg(best, relevant).mean()), f"{name}: cold places": float(cold[best].mean())}
    return found


def means(what: str, figures: Callable[[int], Figures]) -> None:
    every = [figures(seed) for seed in SEEDS]
    print(what, *(f"{name} {np.mean([one[name] for one in every]):.4f}" for name in every[0]), sep=", ", flush=True)


def test(name: str, data: al.Interactions) -> None:
    likes = data.likes()
    sides = [("item", ITEMS)] + ([("user", USERS)] if data.profiles.columns else [])
    for side, names in sides:
        means(f"{name}, RMSE of cold {side}s", lambda s, a=side, b=names: ratings(part(data, a, s), a, b))
    means(f"{name}, NDCG@10 among cold items", lambda s: item_lists(part(likes, "item", s), ITEMS))
    if len(sides) > 1:
        means(f"{name}, NDCG@10 of cold users", lambda s: user_lists(part(likes, "user", s), USERS))
    means(f"{name}, NDCG@10 of everybody", lambda s: everybody(likes, s))


def choose(name: str, data: al.Interactions) -> None:
    """Try settings on cold tenths of the training parts; the values that `test` judges by are not read."""
    for power, columns in itertools.product((0.0, 0.5, 1.0), ("genres", "genres,year", "genres,year,title")):
        attributes.POWER = {True: power, False: power}

        def tried(seed: int, columns: str = columns) -> Figures:
            inner = part(part(data, "item", seed).train, "item", seed + 100)
            liked = part(part(data.likes(), "item", seed).train, "item", seed + 100)
            return ratings(inner, "item", columns) | item_lists(liked, columns)

        means(f"{name}, power {power:g}, {columns}", tried)


if __name__ == "__main__":
    for one in ("ml-100k", "ml-latest-small"):
        {"choose": choose, "test": test}[sys.argv[1]](one, al.read(unpacked(Path(sys.argv[2]), one)))
