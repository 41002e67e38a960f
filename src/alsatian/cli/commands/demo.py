"""alsatian demo: fit two models to a sample dataset, evaluate them and recommend."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from alsatian._util.formatting import format_duration
from alsatian.cli.options.common import Json, Like, Threads
from alsatian.cli.terminal import Summary, print_json, show_status
from alsatian.errors import pluralize

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

SAMPLE = "movielens-small"
_MIN_RATING = 4.0  # a rating of at least this many stars is a like
_MODEL_LABELS = {
    "explicit-als": "ExplicitALS",
    "implicit-als": "ImplicitALS",
    "popularity": "popularity",
    "bias": "mean and biases",
}
_TWO_MODELS_NOTE = (
    "Why two models? ExplicitALS learns from the ratings alone. It predicts ratings well, but its highest predictions "
    "are for obscure movies that few users have rated. ImplicitALS learns which of all movies each user liked, so its "
    "lists are far better. Its scores are not ratings: only their order has a meaning."
)


def demo(like: Like = ["Iron Man"], threads: Threads = None, as_json: Json = False) -> None:  # noqa: B006
    """Fit two models to real movie ratings, evaluate, recommend.

    \b
    alsatian demo --like "Toy Story" --like "Finding Nemo"
    """
    from alsatian import datasets
    from alsatian.cli.visitor import parse_history

    start = time.perf_counter()
    summary = Summary(stderr=as_json)
    with show_status(f"reading {SAMPLE}"):
        data = datasets.load(SAMPLE)
    summary.line("data", _describe_data(data))
    liked_data = data.binarize(_MIN_RATING)
    history = parse_history(liked_data, like)  # fails early for an unknown title
    rows = _evaluate_models(data, summary, threads)
    _print_metrics(summary, rows)
    summary.paragraph(_TWO_MODELS_NOTE)
    lists_record = _recommend_to_visitor(liked_data, history, summary, threads, as_json)
    seconds = time.perf_counter() - start
    if as_json:
        print_json({"data": _data_record(data), "models": rows, **lists_record, "seconds": seconds})
    else:
        summary.blank_line()
        summary.line("time", f"{format_duration(seconds)} in all")
        summary.line(
            "next",
            f"alsatian train {SAMPLE} -o movies.model --model implicit-als --min-rating {_MIN_RATING:g}",
            no_wrap=True,
        )


def _describe_data(data: Interactions) -> str:
    density = len(data) / (len(data.user_ids) * len(data.item_ids))
    users, movies = pluralize(len(data.user_ids), "user"), pluralize(len(data.item_ids), "movie")
    scale = "from {:g} to {:g}".format(*data.scale)
    return f"{SAMPLE}: {pluralize(len(data), 'rating')} {scale} of {movies} by {users}, {density:.1%} of all pairs"


def _data_record(data: Interactions) -> dict[str, Any]:
    return {"sample": SAMPLE, "values": len(data), "users": len(data.user_ids), "items": len(data.item_ids)}


def _evaluate_models(data: Interactions, summary: Summary, threads: int | None) -> list[dict[str, Any]]:
    """Split the ratings, fit two models and the baselines on the training part, and evaluate them on the test part."""
    from alsatian.evaluation import evaluate
    from alsatian.split.holdout import split_per_user

    split = split_per_user(data, n=10, seed=0)
    summary.line(
        "split",
        f"10 random ratings of each user held out for testing ({len(split.held_out):,}), "
        f"{len(split.train):,} left for training",
    )
    evaluation = evaluate(
        list(_MODEL_LABELS)[:2], split, min_rating=_MIN_RATING, metrics=["rmse", "ndcg"], bootstrap=0, threads=threads
    )
    return [{"model": label, "metrics": evaluation[name].metrics} for name, label in _MODEL_LABELS.items()]


def _print_metrics(summary: Summary, rows: list[dict[str, Any]]) -> None:
    metric_labels = {
        "rmse": ("RMSE of the ratings", "(lower is better)"),
        "ndcg@10": (f"NDCG@10 of the likes ({_MIN_RATING:g} and more)", "(higher is better)"),
    }
    columns = {"": ["", *(row["model"] for row in rows)]}
    for name, (label, direction) in metric_labels.items():
        cells = [f"{row['metrics'][name]:.3f}" if name in row["metrics"] else "" for row in rows]
        columns[label] = [direction, *cells]
    summary.blank_line()
    summary.table("Accuracy on the held-out ratings", columns, right=[label for label, _ in metric_labels.values()])


def _recommend_to_visitor(
    liked_data: Interactions, history: dict[Any, Any], summary: Summary, threads: int | None, as_json: bool
) -> dict[str, Any]:
    """Fit a model on all likes, recommend for a visitor, and list the items similar to the first like."""
    from alsatian.models import ImplicitALS

    model = ImplicitALS().fit(liked_data, threads=threads, progress=False)
    start = time.perf_counter()
    recommendations = model.fold_in(history).recommend(n=10, threads=threads)
    seconds = time.perf_counter() - start
    similar = model.similar(next(iter(history)), n=10)
    visitor_record, similar_record = (next(answer.to_dicts()) for answer in (recommendations, similar))
    if not as_json:
        favorites = ", ".join(map(str, visitor_record["like"]))
        fit_note = f"model of all likes; fold-in and list in {format_duration(seconds)}"
        _print_items(summary, f"For a new visitor who likes {favorites} ({fit_note})", visitor_record["items"])
        summary.blank_line()
        item_title = model.data.catalog.title_of(model.data.item_ids.row(next(iter(history))))
        _print_items(summary, f"Similar to {item_title}", similar_record["items"])
    return {
        "like": visitor_record["like"],
        "recommended": visitor_record["items"],
        "fold_in_seconds": seconds,
        "item": similar_record["item"],
        "similar": similar_record["items"],
    }


def _print_items(summary: Summary, title: str, items: list[dict[str, Any]]) -> None:
    cells = {name: [str(item[name]) for item in items] for name in ("rank", "item", "title")}
    summary.table(title, cells | {"score": [f"{item['score']:.3f}" for item in items]}, right=("rank", "score"))
