"""Which model `train` fits: what the options allow is known before the data is read, the choice after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model


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
        from alsatian.inspection.value_type import EXPLICIT, IMPLICIT, judge

        explicit, why = judge(data)
        return self.models[EXPLICIT if explicit else IMPLICIT], why


def plan(name: str | None, written: list[str], likes: float | None) -> Plan:
    """Check the model's name and its settings, as written after --set; raises ParameterError."""
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT
    from alsatian.models import MODELS
    from alsatian.models.ensemble.model_parameters import named

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


def check_amounts(model: Model, data: Interactions, source: str) -> None:
    """Refuse values of 0 and less where they are amounts, naming the option that leaves them out."""
    from alsatian.inspection.value_type import IMPLICIT, above_zero

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
