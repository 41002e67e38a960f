"""Cold start: items and users without ratings, placed by their attributes.

    python -m bench cold_start choose DATA_FOLDER   # the exponent of the counts, and the columns, on the training parts
    python -m bench cold_start test DATA_FOLDER     # the cold tenths of ml-100k.tar.gz and ml-latest-small.tar.gz

All values of a tenth of the items, or of the users, are held out. RMSE is over the held-out ratings, clipped to the
scale; NDCG@10 over the users who have held-out values: of cold items alone for items, of all items for users. Every
figure is the mean over three draws of the tenth.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import alsatian as al
from alsatian import metrics
from alsatian.models.factors import cold_start as cold_start_model
from bench.datasets import unpacked
from bench.programs import argument_parser

DURATION = "3 minutes"
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
    predictions = (np.full(len(held_out), train.mean), *predicted)
    return dict(
        zip(
            ("RMSE of mean", "of mean and bias", "by attributes"),
            (metrics.rmse(values, held_out.values) for values in predictions),
            strict=True,
        )
    )


def lists(model: al.Model, users: np.ndarray, items: np.ndarray | None = None) -> np.ndarray:
    """Return the ten best items of each user (a row number) among those of a mask; popular ones for unknown users."""
    ids = model.data.user_ids.take(users)
    return model.recommend(ids, n=10, where=items, unknown="popular", threads=2).rows.reshape(-1, 10)


def mean_ndcg(best: np.ndarray, relevant: Any) -> float:
    """Return the mean NDCG@10 of lists (users, 10), beside the rows of what is relevant to each user."""
    return float(metrics.ndcg(metrics.hits(best, relevant), relevant.counts).mean())


def item_lists(cold: Cold, names: str) -> Figures:
    """Return NDCG@10 of lists of cold items alone: at random (the mean of ten orders), and by attributes."""
    train, held_out, _ = cold
    users = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
    relevant, choice = held_out.by_user.take(users), np.flatnonzero(cold.cold)
    rng = np.random.default_rng(0)
    orders = (np.array([rng.permutation(choice)[:10] for _ in users], np.int32) for _ in range(10))
    model = al.ImplicitALS(factors=32, item_attributes=names).fit(train, progress=False)
    best = lists(model, users, cold.cold)
    chance = float(np.mean([mean_ndcg(order, relevant) for order in orders]))
    return {"NDCG@10 at random": chance, "NDCG@10 by attributes": mean_ndcg(best, relevant)}


def user_lists(cold: Cold, names: str) -> Figures:
    """Return NDCG@10 of cold users' lists: what is popular, and by attributes."""
    train, held_out, _ = cold
    users = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
    models = (al.Popularity(), al.ImplicitALS(factors=32, user_attributes=names))
    relevant = held_out.by_user.take(users)
    ndcg = (mean_ndcg(lists(model.fit(train, progress=False), users), relevant) for model in models)
    return dict(zip(("NDCG@10 of popularity", "by attributes"), ndcg, strict=True))


def all_users(data: al.Interactions, seed: int) -> Figures:
    """Return NDCG@10 of all users' lists and their share of cold items; ten likes a user, a tenth of items apart."""
    split = al.split.per_user(data, n=10, seed=seed)
    train, _, cold = part(split.train, "item", seed)
    users = np.flatnonzero(split.held_out.by_user.counts).astype(np.int32)
    relevant, figures = split.held_out.by_user.take(users), {}
    for name, settings in (("without", {}), ("attributes", {"item_attributes": ITEMS})):
        model = al.ImplicitALS(factors=32, **settings).fit(train, progress=False)
        best = lists(model, users)
        figures |= {name: mean_ndcg(best, relevant), f"{name}: cold places": float(cold[best].mean())}
    return figures


def print_means(label: str, measure: Callable[[int], Figures]) -> None:
    draws = [measure(seed) for seed in SEEDS]
    means = (f"{name} {np.mean([draw[name] for draw in draws]):.4f}" for name in draws[0])
    print(label, *means, sep=", ", flush=True)


def test(name: str, data: al.Interactions) -> None:
    likes = data.binarize()
    sides = [("item", ITEMS)] + ([("user", USERS)] if data.user_table.columns else [])
    for side, names in sides:
        print_means(f"{name}, RMSE of cold {side}s", lambda s, a=side, b=names: ratings(part(data, a, s), a, b))
    print_means(f"{name}, NDCG@10 among cold items", lambda s: item_lists(part(likes, "item", s), ITEMS))
    if len(sides) > 1:
        print_means(f"{name}, NDCG@10 of cold users", lambda s: user_lists(part(likes, "user", s), USERS))
    print_means(f"{name}, NDCG@10 of everybody", lambda s: all_users(likes, s))


def choose(name: str, data: al.Interactions) -> None:
    """Try settings on cold tenths of the training parts; the values that `test` judges by are not read."""
    for exponent, columns in itertools.product((0.0, 0.5, 1.0), ("genres", "genres,year", "genres,year,title")):
        cold_start_model.COUNT_WEIGHT_EXPONENT = {True: exponent, False: exponent}

        def measure(seed: int, columns: str = columns) -> Figures:
            inner = part(part(data, "item", seed).train, "item", seed + 100)
            liked = part(part(data.binarize(), "item", seed).train, "item", seed + 100)
            return ratings(inner, "item", columns) | item_lists(liked, columns)

        print_means(f"{name}, exponent {exponent:g}, {columns}", measure)


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    tasks = {"choose": choose, "test": test}
    parser.add_argument("task", choices=tasks)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    options = parser.parse_args(arguments)
    for name in ("ml-100k", "ml-latest-small"):
        tasks[options.task](name, al.read(unpacked(options.folder, name)))
