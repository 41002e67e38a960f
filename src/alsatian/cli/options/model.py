"""The options that choose a model. They are checked before the data is read; the model is chosen afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alsatian.errors import DataError, ParameterError

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model: explicit-als, implicit-als, biased-mf, bayesian-mf, bias, pure-svd, item-knn, user-knn, ease, "
        "popularity, blend or fallback. Default: explicit-als for ratings, implicit-als for counts and events.",
    ),
]
ModelSettings = Annotated[
    list[str],
    typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter, such as factors=64; repeat for more."),
]
MinRating = Annotated[
    float | None,
    typer.Option(
        "--min-rating", metavar="VALUE", help="Ratings of at least this value become likes; others are dropped."
    ),
]


@dataclass(frozen=True)
class ModelChoice:
    """The models that the options allow, by name, and the reason if the options leave only one.

    settings: the values of --set, as text. min_rating: the lowest rating that is a like, or None.
    """

    models: dict[str, Model]
    settings: dict[str, str]
    min_rating: float | None
    reason: str | None = None

    def choose(self, data: Interactions) -> tuple[Model, str | None]:
        """Return the model for this data, and the reason; None if the user named it."""
        if len(self.models) == 1:
            return next(iter(self.models.values())), self.reason
        from alsatian.inspection.value_type import EXPLICIT, IMPLICIT, looks_explicit

        is_explicit, reason = looks_explicit(data)
        return self.models[EXPLICIT if is_explicit else IMPLICIT], reason


def choose_model(name: str | None, assignments: list[str], min_rating: float | None) -> ModelChoice:
    """Return the models that --model (None: any) and --set allow; raises ParameterError."""
    from alsatian.inspection.value_type import EXPLICIT, IMPLICIT
    from alsatian.models import MODELS
    from alsatian.recommender.registry import model_class

    if name is not None:
        model_class(name)
    settings = parse_settings(assignments)
    names = [name] if name else [EXPLICIT, IMPLICIT] if min_rating is None else [IMPLICIT]
    models: dict[str, Model] = {}
    errors: dict[str, ParameterError] = {}
    for model_name in names:
        candidate_class = MODELS[model_name]
        try:
            models[model_name] = candidate_class(
                **{key: candidate_class.param(key).parse(key, value) for key, value in settings.items()}
            )
        except ParameterError as error:
            errors[model_name] = error
    if not models:  # report the error of a model that has all of these settings, if there is one
        raise errors[
            next(
                (model_name for model_name in names if settings.keys() <= MODELS[model_name].hyperparameters.keys()),
                names[0],
            )
        ]
    if name and min_rating is not None and models[name].predicts_ratings:
        raise ParameterError(
            f"--min-rating makes all values equal, so {name} has nothing to predict; remove it, or pass "
            f"--model {IMPLICIT}."
        )
    unknown_names = [
        key for key in settings if any(key not in MODELS[model_name].hyperparameters for model_name in errors)
    ]
    reason = (
        "which suits --min-rating"
        if min_rating is not None
        else f"which has {' and '.join(unknown_names)}"
        if unknown_names
        else "which takes these settings"
    )
    return ModelChoice(models, settings, min_rating, None if name else reason)


def models_from_names(names: list[str], assignments: list[str]) -> list[Model]:
    """Return models by name, with the settings of --set. A setting applies to the models that have it.

    Raises ParameterError for a setting that no model has.
    """
    from alsatian.models.ensemble.model_parameters import as_model

    models, settings = [as_model(name) for name in names], parse_settings(assignments)
    for key in settings:
        if models and not any(key in model.hyperparameters for model in models):
            models[0].param(key)  # raises, and names the models that have it
    changes = [
        {key: model.param(key).parse(key, value) for key, value in settings.items() if key in model.hyperparameters}
        for model in models
    ]
    return [type(model)(**model.params | change) for model, change in zip(models, changes, strict=True)]


def parse_settings(assignments: list[str]) -> dict[str, str]:
    """Return the settings of NAME=VALUE texts, values as text; raises ParameterError."""
    settings: dict[str, str] = {}
    for pair in assignments:
        name, separator, value = (part.strip() for part in pair.partition("="))
        if not (name and separator):
            raise ParameterError(f"--set {pair!r} is not NAME=VALUE; write it like --set factors=64.")
        if name in settings:
            raise ParameterError(f"--set gives {name} twice, {settings[name]} and {value}; pass it once.")
        settings[name] = value
    return settings


def check_amounts(model: Model, data: Interactions, source: str) -> None:
    """Raise DataError for amounts of 0 or less; the message has the option that drops them."""
    from alsatian.inspection.value_type import IMPLICIT, above_zero_condition

    if model.name != IMPLICIT or not getattr(model, "use_values", True) or data.values.min() > 0:
        return
    non_positive = data.values <= 0
    first = int(non_positive.argmax())
    user, item = data.user_ids.id_of(int(data.users[first])), data.item_ids.id_of(int(data.items[first]))
    sum_note = ", added up," if data.recipe.duplicates == "sum" and data.report.combined else ""
    condition = above_zero_condition(data.recipe.columns.get("value") or "value")
    raise DataError(
        f"{non_positive.sum():,} of {len(data):,} values of {Path(source).name}{sum_note} are 0 or less, first "
        f"{data.values[first]:g} of user {user!r} and item {item!r}. {IMPLICIT} takes positive amounts; pass "
        f"--where {condition!r} to drop such rows (they may be returns)."
    )
