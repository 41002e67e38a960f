"""alsatian explain: how much each item of a user contributes to a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian.cli.options.common import ItemArgument, Json, Like, ModelFile, ReasonCount
from alsatian.cli.terminal import Summary, print_json
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.recommender.explanation import Explanation


def explain(
    file: ModelFile,
    item: ItemArgument,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="A user of the model.")] = None,
    like: Like = [],  # noqa: B006
    n: ReasonCount = 10,
    as_json: Json = False,
) -> None:
    """Show how much each item of a user contributes to a score.

    \b
    alsatian explain movies.model --user 42 "Iron Man"
    alsatian explain movies.model --like "Toy Story" --like Aliens=5 "Iron Man"
    """
    if (user is None) == (not like):
        raise ParameterError("no target: pass either --user ID or --like TITLE (a new visitor).")
    from alsatian.cli.item_lookup import find_item
    from alsatian.persistence import save_load
    from alsatian.recommender.recommendations import to_json_id

    model = save_load.load(file)
    data = model.fitted.data
    query: dict[str, Any]
    if user is not None:
        user_id = data.user_ids.parse(user)
        query, explanation = {"user": to_json_id(user_id)}, model.explain(user_id, find_item(data, item))
    else:
        from alsatian.cli.visitor import fold_in

        visitor = fold_in(model, like)
        query, explanation = {"like": to_json_id(visitor.likes)}, visitor.explain(find_item(data, item))
    if as_json:
        print_json(query | _explanation_record(explanation))
    else:
        _print_explanation(explanation, n)


def _explanation_record(explanation: Explanation) -> dict[str, Any]:
    from alsatian.recommender.recommendations import to_json_id

    record = explanation.to_json()
    record["item"] = to_json_id(record["item"])
    record["reasons"] = [reason | {"item": to_json_id(reason["item"])} for reason in record["reasons"]]
    return record


def _print_explanation(explanation: Explanation, n: int) -> None:
    """Print the score as a sum: the base, the largest contributions, the sum of the others."""
    largest, others = explanation.reasons[:n], explanation.reasons[n:]
    user_attributes, item_attributes = (", ".join(explanation.placed_by.get(side, ())) for side in ("user", "item"))
    base = f"attributes ({user_attributes})" if user_attributes else "mean and biases"
    lines = [(f"{explanation.base:.3f}", base, "")] if explanation.base else []
    lines += [
        (f"{reason.contribution:+.3f}", str(reason.title or reason.item), f"{reason.value:g}") for reason in largest
    ]
    if others:
        lines.append(
            (f"{sum(reason.contribution for reason in others):+.3f}", f"{len(others):,} more (-n shows them)", "")
        )
    lines.append((f"{explanation.score:.3f}", "score", ""))
    columns = {
        name: list(cells)
        for name, cells in zip(("contribution", "from", "value"), zip(*lines, strict=True), strict=True)
    }
    title = str(explanation.title or explanation.item)
    Summary().table(
        f"{title}, represented by {item_attributes}" if item_attributes else title,
        columns,
        right=("contribution", "value"),
    )
