"""alsatian recommend: the best items for users of the model, or for somebody it has never seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from alsatian.cli.lists import print_lists
from alsatian.cli.options import Json, Length, Like, ModelFile, Threads, Where
from alsatian.cli.terminal import aside, count, duration
from alsatian.cli.visitor import fold_in, retrain_with
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.models import Model
    from alsatian.models.visitor import Visitor
    from alsatian.ranking import Recommendations

_AT_ONCE = 10_000  # users whose lists are held in memory together

Ask = Callable[["Model", Any], "Recommendations"]
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
    allow: Allow = [],  # noqa: B006
    deny: Deny = [],  # noqa: B006
    include_seen: Annotated[bool, typer.Option("--include-seen", help="List also what the user already has.")] = False,
    because: Annotated[bool, typer.Option("--because", help="Say which items speak for each.")] = False,
    retrain: Retrain = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """List the best items for users of the model or a new visitor.

    \b
    alsatian recommend movies.model --user 42 -n 5 --where "year >= 1990"
    alsatian recommend movies.model --like "Iron Man" --like "Toy Story=4.5" --because
    """
    _check(user, like, all_users, retrain)
    from alsatian import store
    from alsatian.cli.titles import find_item

    model = store.load(file)
    options: dict[str, Any] = {
        "exclude_seen": not include_seen,
        "where": where,
        "because": because,
        "threads": threads,
    }

    @cache
    def named(fitted: Model) -> dict[str, Any]:
        """Find the items to allow and to deny in the data of the model."""
        given = {name: items for name, items in (("allow", allow), ("deny", deny)) if items}
        return {name: [find_item(fitted.data, item) for item in items] for name, items in given.items()}

    def ask(fitted: Model, who: Any) -> Recommendations:
        """Ask a visitor, or the model about users."""
        if hasattr(who, "likes"):
            return cast("Visitor", who).recommend(n, **options, **named(fitted))
        return fitted.recommend(who, n, **options, **named(fitted))

    begun = time.perf_counter()
    if retrain:
        answers = iter([_retrained(model, retrain, like, threads, ask)])
    elif like:
        answers = iter([ask(model, fold_in(model, like))])
    else:
        answers = _of_users(model, user, ask)
    lists = print_lists(answers, as_json=as_json)
    if all_users:
        aside(f"{count(lists, 'list')} in {duration(time.perf_counter() - begun)}")


def _check(user: list[str], like: list[str], all_users: bool, retrain: str | None) -> None:
    given = [name for name, value in (("--user", user), ("--like", like), ("--all-users", all_users)) if value]
    if len(given) > 1:
        raise ParameterError(f"{' and '.join(given)} ask for different things; pass one of them.")
    if not given:
        raise ParameterError("for whom? Pass --user ID, --like TITLE (a new visitor) or --all-users.")
    if retrain and not like:
        raise ParameterError(f"--retrain adds a new visitor to {retrain}; say what the visitor likes by --like TITLE.")


def _retrained(model: Model, source: str, likes: list[str], threads: int | None, ask: Ask) -> Recommendations:
    """Fit anew with the visitor among the users, and answer as for a visitor."""
    fitted, visitor = retrain_with(model, source, likes, threads)
    data = fitted.data
    items, _ = data.by_user.row(data.user_ids.row(visitor))
    titles = [data.catalog.title_of(row) or data.item_ids.id_of(row) for row in items.tolist()]
    return replace(ask(fitted, [visitor]), asked="like", queries=[titles])


def _of_users(model: Model, users: list[str], ask: Ask) -> Iterator[Recommendations]:
    """Recommend for these users, or for all, some thousands at a time."""
    ids = model.fitted.data.user_ids
    asked = [ids.parse(user) for user in users] if users else ids.tolist()
    for start in range(0, len(asked), _AT_ONCE):
        yield ask(model, asked[start : start + _AT_ONCE])
