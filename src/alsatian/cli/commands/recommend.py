"""alsatian recommend: the best items for users of the model or for a new visitor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_duration
from alsatian.cli.options.common import Json, Length, Like, ModelFile, Novelty, Threads, Where
from alsatian.cli.posters_page import PostersFile, check_posters_page, write_posters_page
from alsatian.cli.print_lists import print_lists
from alsatian.cli.terminal import note_stderr
from alsatian.cli.visitor import fold_in, refit_with_visitor
from alsatian.errors import ParameterError, pluralize

if TYPE_CHECKING:
    from alsatian.cli.visitor import RefittedVisitor
    from alsatian.models import Model
    from alsatian.recommender.recommendations import Recommendations
    from alsatian.recommender.visitor import Visitor

_USERS_PER_BATCH = 10_000  # users whose lists are in memory at the same time

UserIds = Annotated[list[str], typer.Option("--user", metavar="ID", help="A user of the model; repeat for more.")]
AllowItems = Annotated[
    list[str],
    typer.Option(
        "--allow", metavar="ITEM", help="Restrict lists to this item and other allowed ones; repeat for more."
    ),
]
DenyItems = Annotated[list[str], typer.Option("--deny", metavar="ITEM", help="Exclude this item; repeat for more.")]
RetrainSource = Annotated[
    str | None,
    typer.Option(
        "--retrain",
        metavar="SOURCE",
        help="Instead of folding in: read this source like the model's, add the visitor and fit again.",
    ),
]


def recommend(
    file: ModelFile,
    user: UserIds = [],  # noqa: B006
    like: Like = [],  # noqa: B006
    all_users: Annotated[bool, typer.Option("--all-users", help="List items for all users of the model.")] = False,
    n: Length = 10,
    where: Where = None,
    novelty: Novelty = 0.0,
    allow: AllowItems = [],  # noqa: B006
    deny: DenyItems = [],  # noqa: B006
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Also list items that the user already has.")
    ] = False,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Show why: the user's items that contributed most to each recommendation.")
    ] = False,
    retrain: RetrainSource = None,
    posters: PostersFile = None,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """List the best items for users of the model or a new visitor.

    \b
    alsatian recommend movies.model --user 42 -n 5 --where "year >= 1990"
    alsatian recommend movies.model --like "Iron Man" --like "Toy Story=4.5" --reasons
    """
    _check_recipient(user, like, all_users, retrain)
    if posters and all_users:
        raise ParameterError("--posters writes a page of a few lists; pass --user ID instead of --all-users.")
    check_posters_page(posters, file)
    from alsatian.cli.item_lookup import find_item
    from alsatian.persistence import save_load

    model = save_load.load(file)
    start = time.perf_counter()
    visitor = _make_visitor(model, like, retrain, threads) if like else None
    data = visitor.model.data if visitor else model.data
    options: dict[str, Any] = {
        "exclude_seen": not include_seen,
        "allow": [find_item(data, item) for item in allow] or None,
        "deny": [find_item(data, item) for item in deny] or None,
        "where": where,
        "novelty": novelty,
        "reasons": reasons,
        "threads": threads,
    }
    results = [visitor.recommend(n, **options)] if visitor else _recommend_in_batches(model, user, n, options)
    list_count = print_lists(write_posters_page(results, posters), as_json=as_json)
    if all_users:
        note_stderr(f"{pluralize(list_count, 'list')} in {format_duration(time.perf_counter() - start)}")


def _check_recipient(user: list[str], like: list[str], all_users: bool, retrain: str | None) -> None:
    options = [name for name, value in (("--user", user), ("--like", like), ("--all-users", all_users)) if value]
    if len(options) > 1:
        raise ParameterError(f"{' and '.join(options)} exclude each other; pass one of them.")
    if not options:
        raise ParameterError("no target: pass --user ID, --like TITLE (a new visitor) or --all-users.")
    if retrain and not like:
        raise ParameterError(
            f"--retrain adds a new visitor to {retrain}; pass what the visitor likes with --like TITLE."
        )


def _make_visitor(
    model: Model, like_texts: list[str], retrain: str | None, threads: int | None
) -> Visitor | RefittedVisitor:
    return refit_with_visitor(model, retrain, like_texts, threads) if retrain else fold_in(model, like_texts)


def _recommend_in_batches(model: Model, users: list[str], n: int, options: dict[str, Any]) -> Iterator[Recommendations]:
    """Yield the lists of these users, or of all users if empty, in batches."""
    ids = model.data.user_ids
    user_ids = [ids.parse(user) for user in users] if users else ids.tolist()
    for start in range(0, len(user_ids), _USERS_PER_BATCH):
        yield model.recommend(user_ids[start : start + _USERS_PER_BATCH], n, **options)
