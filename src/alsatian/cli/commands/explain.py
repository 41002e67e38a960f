"""alsatian explain: which items of a person speak for another, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian.cli.options.common import Item, Json, Length, Like, ModelFile
from alsatian.cli.terminal import Facts, print_json
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.recommender.explanation import Explanation


def explain(
    file: ModelFile,
    item: Item,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="A user of the model.")] = None,
    like: Like = [],  # noqa: B006
    n: Length = 10,
    as_json: Json = False,
) -> None:
    """Say which items of a person speak for an item, and how much.

    \b
    alsatian explain movies.model --user 42 "Iron Man"
    alsatian explain movies.model --like "Toy Story" --like Aliens=5 "Iron Man"
    """
    if (user is None) == (not like):
        raise ParameterError("whose score is it? Pass either --user ID or --like TITLE (a new visitor).")
    from alsatian.cli.item_lookup import find_item
    from alsatian.persistence import save_load
    from alsatian.recommender.recommendations import json_id

    model = save_load.load(file)
    data = model.fitted.data
    asked: dict[str, Any]
    if user is not None:
        person = data.user_ids.parse(user)
        asked, answer = {"user": json_id(person)}, model.explain(person, find_item(data, item))
    else:
        from alsatian.cli.visitor import fold_in

        visitor = fold_in(model, like)
        asked, answer = {"like": json_id(visitor.likes)}, visitor.explain(find_item(data, item))
    if as_json:
        print_json(asked | _record(answer))
    else:
        _draw(answer, n)


def _record(answer: Explanation) -> dict[str, Any]:
    from alsatian.recommender.recommendations import json_id

    record = answer.to_json()
    record["item"] = json_id(record["item"])
    record["reasons"] = [reason | {"item": json_id(reason["item"])} for reason in record["reasons"]]
    return record


def _draw(answer: Explanation, n: int) -> None:
    """Draw the sum: the base, the largest parts, the rest together, and the score."""
    shown, rest = answer.reasons[:n], answer.reasons[n:]
    person, item = (", ".join(answer.placed_by.get(side, ())) for side in ("user", "item"))
    base = f"attributes ({person})" if person else "mean and biases"
    lines = [(f"{answer.base:.3f}", base, "")] if answer.base else []
    lines += [
        (f"{reason.contribution:+.3f}", str(reason.title or reason.item), f"{reason.value:g}") for reason in shown
    ]
    if rest:
        lines.append((f"{sum(reason.contribution for reason in rest):+.3f}", f"{len(rest):,} more (-n shows them)", ""))
    lines.append((f"{answer.score:.3f}", "score", ""))
    columns = {
        name: list(cells) for name, cells in zip(("part", "from", "value"), zip(*lines, strict=True), strict=True)
    }
    title = str(answer.title or answer.item)
    Facts().table(f"{title}, placed by {item}" if item else title, columns, right=("part", "value"))
