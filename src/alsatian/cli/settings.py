"""Which model `train` fits: what the options allow is known before the data is read, the choice after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.cli.terminal import number
from alsatian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alsatian.interactions import Interactions
    from alsatian.models import Model

EXPLICIT, IMPLICIT = "explicit-als", "implicit-als"


@dataclass(frozen=True)
class Plan:
    """The models that the options allow, by name, and why it is only one of them, if a person may wonder.

    settings: what --set gives, as written; likes: from which value on a rating is a like.
    """

    models: dict[str, Model]
    settings: dict[str, str]
    likes: float | None
    why: str | None = None

    def choose(self, data: Interactions) -> tuple[Model, str | None]:
        """Return the model for this data, and why, unless it was named."""
        if len(self.models) == 1:
            return next(iter(self.models.values())), self.why
        explicit, why = judge(data)
        return self.models[EXPLICIT if explicit else IMPLICIT], why


def plan(name: str | None, written: list[str], likes: float | None) -> Plan:
    """Check the model's name and its settings, as written after --set; raises ParameterError."""
    from alsatian.models import MODELS
    from alsatian.models.nested import named

    if name is not None:
        named(name)
    settings = pairs(written)
    names = [name] if name else [EXPLICIT, IMPLICIT] if likes is None else [IMPLICIT]
    models: dict[str, Model] = {}
    refused: dict[str, ParameterError] = {}
    for each in names:
        kind = MODELS[each]
        try:
            models[each] = kind(**{key: kind.param(key).parse(key, value) for key, value in settings.items()})
        except ParameterError as error:
            refused[each] = error
    if not models:  # the most telling refusal is that of a model which at least knows all of the names
        raise refused[next((each for each in names if settings.keys() <= MODELS[each].declared.keys()), names[0])]
    if name and likes is not None and models[name].predicts:
        raise ParameterError(
            f"--likes makes all values alike, which leaves {name} nothing to predict; drop it, or pass "
            f"--model {IMPLICIT}."
        )
    foreign = [key for key in settings if any(key not in MODELS[each].declared for each in refused)]
    why = (
        "which suits --likes"
        if likes is not None
        else f"which has {' and '.join(foreign)}"
        if foreign
        else "which takes these settings"
    )
    return Plan(models, settings, likes, None if name else why)


def pairs(written: list[str]) -> dict[str, str]:
    """Return what --set gives, as it is written; raises ParameterError."""
    settings: dict[str, str] = {}
    for pair in written:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals):
            raise ParameterError(f"--set {pair!r} is not NAME=VALUE; write it like --set factors=64.")
        if name in settings:
            raise ParameterError(f"--set gives {name} twice, {settings[name]} and {value}; give it once.")
        settings[name] = value
    return settings


def judge(data: Interactions) -> tuple[bool, str]:
    """Tell whether the values look like ratings (few different ones on a short scale), and why."""
    from alsatian.ingest.building import look_like_ratings, usual_rule

    column = data.recipe.columns.get("value")
    low, high = float(data.values.min()), float(data.values.max())
    if data.recipe.weighs:
        return False, f"because the values are amounts that the recipe makes: {number(low)} to {number(high)}"
    if column and low < high and usual_rule(data.values, column) == "last":
        if not look_like_ratings(data.values):
            return True, f"because column {column!r} is named like ratings (from {number(low)} to {number(high)})"
        kinds = different(data)
        return True, f"because the values look like ratings: {kinds} different ones from {low:g} to {high:g}"
    if not column:
        return False, "because there is no column of values: what counts is that and how often"
    if low == high:
        return False, f"because all values are {low:g}"
    return False, f"because the values look like amounts, not ratings: {number(low)} to {number(high)} in {column!r}"


def different(data: Interactions) -> int:
    import numpy as np

    return len(np.unique(data.values))


def like_from(data: Interactions) -> float:
    """Return from which value on a rating is a like: the first in the upper quarter of the scale.

    4 of 0.5 to 5 and of 1 to 5; 8 of 1 to 10.
    """
    low, high = float(data.values.min()), float(data.values.max())
    return float(data.values[data.values >= low + 0.75 * (high - low)].min())


def check_amounts(model: Model, data: Interactions, source: str) -> None:
    """Refuse values of 0 and less where they are amounts, naming the option that leaves them out."""
    if model.name != IMPLICIT or not getattr(model, "use_values", True) or data.values.min() > 0:
        return
    low = data.values <= 0
    first = int(low.argmax())
    user, item = data.user_ids.id_of(int(data.users[first])), data.item_ids.id_of(int(data.items[first]))
    summed = ", added up," if data.recipe.duplicates == "sum" and data.report.combined else ""
    condition = above_zero(data.recipe.columns.get("value") or "value")
    raise DataError(
        f"{low.sum():,} of {len(data):,} values of {Path(source).name}{summed} are 0 or less, first "
        f"{data.values[first]:g} of user {user!r} and item {item!r}, but {IMPLICIT} takes amounts; pass "
        f"--where {condition!r} to leave out such rows (returns, perhaps)."
    )


def huge_amounts(data: Interactions) -> str | None:
    """Say so if a few amounts would outweigh all others."""
    import numpy as np

    usual, high = float(np.quantile(data.values, 0.99)), float(data.values.max())
    if usual <= 0 or high <= 50 * usual:
        return None
    return (
        f"a few values are huge, and huge values count for much: 99% are at most {number(usual)}, the largest is "
        f"{number(high)}; --set use_values=false takes all alike"
    )


def above_zero(column: str) -> str:
    """Return the SQL condition that a column is above 0."""
    plain = column.isidentifier() and column.isascii()
    return f"{column} > 0" if plain else f'"{column}" > 0'
