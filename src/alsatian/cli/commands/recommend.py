"""alsatian recommend: the best items for users of the model, or for somebody it has never seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import duration
from alsatian.cli.options.common import Json, Length, Like, ModelFile, Novelty, Threads, Where
from alsatian.cli.posters_page import PostersFile, check_page, with_page
from alsatian.cli.print_lists import print_lists
from alsatian.cli.terminal import aside
from alsatian.cli.visitor import fold_in, retrain_with
from alsatian.errors import ParameterError, counted

if TYPE_CHECKING:
    from alsatian.cli.visitor import Joined
    from alsatian.models import Model
    from alsatian.recommender.recommendations import Recommendations
    from alsatian.recommender.visitor import Visitor

_AT_ONCE = 10_000  # users whose lists are held in memory together

Users = Annotated[list[str], typer.Option("--user", metavar="ID", help="A user of the model; repeat for more.")]
Allow = Annotated[
    list[str], typer.Option("--allow", metavar="ITEM", help="Choose from this item and other allowed ones only.")
]
Deny = Annotated[list[str], typer.Option("--deny", metavar="ITEM", help="Leave this item out; repeat for more.")]
Retrain = Annotated[
    str | None,
    typer.Option(
        "--retrain",
        metavar="SOURCE",
        help="Instead of folding the visitor in: read this source like the model's, add the visitor, and fit anew.",
    ),
]


def recommend(
    file: ModelFile,
    user: Users = [],  # noqa: B006
    like: Like = [],  # noqa: B006
    all_users: Annotated[bool, typer.Option("--all-users", help="Every user of the model.")] = False,
    n: Length = 10,
    where: Where = None,
    novelty: Novelty = 0.0,
    allow: Allow = [],  # noqa: B006
    deny: Deny = [],  # noqa: B006
    include_seen: Annotated[bool, typer.Option("--include-seen", help="List also what the user already has.")] = False,
    because: Annotated[bool, typer.Option("--because", help="Say which items speak for each.")] = False,
    retrain: Retrain = None,
    posters: PostersFile = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """List the best items for users of the model or a new visitor.

    \b
    alsatian recommend movies.model --user 42 -n 5 --where "year >= 1990"
    alsatian recommend movies.model --like "Iron Man" --like "Toy Story=4.5" --because
    """
    _check(user, like, all_users, retrain)
    if posters and all_users:
        raise ParameterError("--posters makes a page of a few lists; name users by --user instead of --all-users.")
    check_page(posters, file)
    from alsatian.cli.item_lookup import find_item
    from alsatian.persistence import save_load

    model = save_load.load(file)
    begun = time.perf_counter()
    visitor = _visitor(model, like, retrain, threads) if like else None
    model = visitor.model if visitor else model
    options: dict[str, Any] = {
        "exclude_seen": not include_seen,
        "allow": [find_item(model.data, item) for item in allow] or None,
        "deny": [find_item(model.data, item) for item in deny] or None,
        "where": where,
        "novelty": novelty,
        "because": because,
        "threads": threads,
    }
    answers = [visitor.recommend(n, **options)] if visitor else _of_users(model, user, n, options)
    lists = print_lists(with_page(answers, posters), as_json=as_json)
    if all_users:
        aside(f"{counted(lists, 'list')} in {duration(time.perf_counter() - begun)}")


def _check(user: list[str], like: list[str], all_users: bool, retrain: str | None) -> None:
    given = [name for name, value in (("--user", user), ("--like", like), ("--all-users", all_users)) if value]
    if len(given) > 1:
        raise ParameterError(f"{' and '.join(given)} ask for different things; pass one of them.")
    if not given:
        raise ParameterError("for whom? Pass --user ID, --like TITLE (a new visitor) or --all-users.")
    if retrain and not like:
        raise ParameterError(f"--retrain adds a new visitor to {retrain}; say what the visitor likes by --like TITLE.")


def _visitor(model: Model, likes: list[str], retrain: str | None, threads: int | None) -> Visitor | Joined:
    return retrain_with(model, retrain, likes, threads) if retrain else fold_in(model, likes)


def _of_users(model: Model, users: list[str], n: int, options: dict[str, Any]) -> Iterator[Recommendations]:
    """Recommend for these users, or for all, some thousands at a time."""
    ids = model.data.user_ids
    asked = [ids.parse(user) for user in users] if users else ids.tolist()
    for start in range(0, len(asked), _AT_ONCE):
        yield model.recommend(asked[start : start + _AT_ONCE], n, **options)
