"""alsatian demo: two models learned from a real sample, judged, and put to use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from alsatian._util.formatting import duration
from alsatian.cli.options.common import Json, Like, Threads
from alsatian.cli.terminal import Facts, busy, print_json
from alsatian.errors import counted

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions

SAMPLE = "movielens-small"
_LIKE = 4.0  # stars from which on a rating is a like
_SHOWN = {
    "explicit-als": "ExplicitALS",
    "implicit-als": "ImplicitALS",
    "popularity": "popularity",
    "baseline": "mean and biases",
}
_WHY = (
    "Why two models? ExplicitALS learns from the ratings alone and predicts well what somebody would give a "
    "movie, but the best predictions go to obscure movies that few have rated. ImplicitALS learns from what "
    "people liked out of everything there is, so its lists are far better; only the order of "
    "its scores means something."
)


def demo(like: Like = ["Iron Man"], threads: Threads = None, as_json: Json = False) -> None:  # noqa: B006
    """Learn from real movie ratings, show how good it is, recommend.

    \b
    alsatian demo --like "Toy Story" --like "Finding Nemo"
    """
    from alsatian import datasets
    from alsatian.cli.visitor import history_of

    begun = time.perf_counter()
    facts = Facts(stderr=as_json)
    with busy(f"reading {SAMPLE}"):
        data = datasets.load(SAMPLE)
    facts.say("data", _size(data))
    likes = data.likes(_LIKE)
    history = history_of(likes, like)  # an unknown title ends it here
    rows = _judge(data, facts, threads)
    _table(facts, rows)
    facts.paragraph(_WHY)
    lists = _use(likes, history, facts, threads, as_json)
    seconds = time.perf_counter() - begun
    if as_json:
        print_json({"data": _counts(data), "models": rows, **lists, "seconds": seconds})
    else:
        facts.gap()
        facts.say("time", f"{duration(seconds)} for all of this")
        facts.say(
            "next",
            f"alsatian train {SAMPLE} -o movies.model --model implicit-als --likes {_LIKE:g}",
            whole=True,
        )


def _size(data: Interactions) -> str:
    density = len(data) / (len(data.user_ids) * len(data.item_ids))
    users, movies = counted(len(data.user_ids), "user"), counted(len(data.item_ids), "movie")
    scale = "from {:g} to {:g}".format(*data.scale)
    return f"{SAMPLE}: {counted(len(data), 'rating')} {scale} of {movies} by {users}, {density:.1%} of all pairs"


def _counts(data: Interactions) -> dict[str, Any]:
    return {"sample": SAMPLE, "values": len(data), "users": len(data.user_ids), "items": len(data.item_ids)}


def _judge(data: Interactions, facts: Facts, threads: int | None) -> list[dict[str, Any]]:
    """Split, fit on the one part, and measure on the other; the baselines get the same parts."""
    from alsatian.evaluation import evaluate
    from alsatian.split.holdout import per_user

    parts = per_user(data, n=10, seed=0)
    facts.say(
        "split",
        f"10 random ratings of each user held out before any fit: {len(parts.train):,} to learn from, "
        f"{len(parts.held_out):,} to test",
    )
    found = evaluate(list(_SHOWN)[:2], parts, likes=_LIKE, metrics=["rmse", "ndcg"], bootstrap=0, threads=threads)
    return [{"model": words, "metrics": found[name].metrics} for name, words in _SHOWN.items()]


def _table(facts: Facts, rows: list[dict[str, Any]]) -> None:
    measures = {
        "rmse": ("RMSE of the ratings", "(lower is better)"),
        "ndcg@10": (f"NDCG@10 of the likes ({_LIKE:g} and more)", "(higher is better)"),
    }
    columns = {"": ["", *(row["model"] for row in rows)]}
    for name, (words, better) in measures.items():
        cells = [f"{row['metrics'][name]:.3f}" if name in row["metrics"] else "" for row in rows]
        columns[words] = [better, *cells]
    facts.gap()
    facts.table("On what was held out", columns, right=[words for words, _ in measures.values()])


def _use(
    likes: Interactions, history: dict[Any, Any], facts: Facts, threads: int | None, as_json: bool
) -> dict[str, Any]:
    """Recommend for a visitor by a model of all likes, and list what is similar to the first one."""
    from alsatian.models import ImplicitALS

    model = ImplicitALS().fit(likes, threads=threads, progress=False)
    begun = time.perf_counter()
    lists = model.fold_in(history).recommend(n=10, threads=threads)
    seconds = time.perf_counter() - begun
    alike = model.similar(next(iter(history)), n=10)
    first, second = (next(answer.to_dicts()) for answer in (lists, alike))
    if not as_json:
        favourites = ", ".join(map(str, first["like"]))
        how = f"by a model of all likes, in {duration(seconds)}"
        _list(facts, f"For a new visitor who likes {favourites} ({how})", first["items"])
        facts.gap()
        named = model.data.catalog.title_of(model.data.item_ids.row(next(iter(history))))
        _list(facts, f"Similar to {named}", second["items"])
    return {
        "like": first["like"],
        "recommended": first["items"],
        "fold_in_seconds": seconds,
        "item": second["item"],
        "similar": second["items"],
    }


def _list(facts: Facts, title: str, items: list[dict[str, Any]]) -> None:
    cells = {name: [str(item[name]) for item in items] for name in ("rank", "item", "title")}
    facts.table(title, cells | {"score": [f"{item['score']:.3f}" for item in items]}, right=("rank", "score"))
