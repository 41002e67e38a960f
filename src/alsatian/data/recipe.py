"""The rules that turn raw rows into values, as the user declares them. `FittedRecipe` applies them to data."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal

from alsatian._util.html_table import HtmlRepr
from alsatian._util.parsing import parse_duration, parse_timestamp, require_finite, require_int
from alsatian._util.text_table import TextTable
from alsatian.data.rule_parsing import parse_columns, parse_unknown_events, parse_weights, require_choice
from alsatian.errors import ParameterError, SourceError, did_you_mean

Duplicates = Literal["last", "sum", "max", "mean", "raise"]
BadRows = Literal["stop", "skip"]
Normalize = Literal["minmax", "rank"]
Confidence = Literal["none", "log", "bm25"]
SideName = Literal["user", "item"]

FORMER_RULES = {"at_least": "min_rating", "reference": "reference_date"}  # former name -> current name

_ONE_OR_MORE = partial(require_int, low=1)
# rule -> parse(name, value), which returns the normalized value or raises ParameterError
_PARSERS: Mapping[str, Callable[[str, Any], Any]] = {
    "columns": parse_columns,
    "duplicates": partial(require_choice, choices=Duplicates),
    "min_rating": require_finite,
    "events": parse_weights,
    "unknown_events": parse_unknown_events,
    "signals": partial(parse_weights, minimum=0.0),
    "normalize": partial(require_choice, choices=Normalize),
    "half_life": parse_duration,
    "reference_date": parse_timestamp,
    "min_per_user": _ONE_OR_MORE,
    "min_per_item": _ONE_OR_MORE,
    "confidence": partial(require_choice, choices=Confidence),
    "k1": partial(require_finite, low=0.0),
    "b": partial(require_finite, low=0.0, high=1.0),
    "length": partial(require_choice, choices=SideName),
}


@dataclass(frozen=True)
class Recipe(HtmlRepr):
    """The rules that turn raw rows into values, in the order in which they apply. All are optional.

    columns: role ("user", "item", "value", "time", "event", "title") -> name of the column, or "" for none.
    events: name of an event -> its weight, such as {"VIEW": 1, "LIKE": 2}; a row's value is multiplied by it.
    unknown_events: what to do with a row whose event has no weight: "raise", "ignore" (and count), or a weight.
    signals: name of a column -> its weight, such as {"clicks": 1, "seconds": 0.5}. The value of a row is the weighted
        sum of these columns, each scaled to 0..1. Pairs whose sum is 0 are dropped.
    normalize: how a signal is scaled to 0..1: by its smallest and largest value ("minmax") or by its "rank".
    half_life: the age at which a value has lost half of its weight, in days or as "30d", "12h", "8w", "1y".
    reference_date: the date from which ages are measured (seconds since 1970, or a date). None: the newest time.
    duplicates: how the values of a repeated pair of user and item are combined: the "last" one (the latest time, then
        the latest row), their "sum", "max" or "mean", or an error ("raise"). None: `read` chooses.
    min_rating: pairs with at least this value become a like (1), the others are dropped. The value is compared before
        any decay; afterwards the like decays with its age.
    min_per_user, min_per_item: users and items with fewer values are dropped, repeatedly, until all have enough (the
        k-core).
    confidence: the transformation of the value v of a pair. "log": log(1 + v), eq. 6 of Hu, Koren and Volinsky (2008);
        the model adds the constant 1 and the factor alpha, and epsilon is part of the weights above. "bm25": see
        `weighting.bm25`.
    k1, b, length: the parameters of BM25: saturation (1.2), length normalization (0.75), and whose length is used:
        "user" (the default) or "item".

    Raises ParameterError for a rule that is not valid, or that has no effect without another.

    >>> Recipe(events={"VIEW": 1, "LIKE": 2}, half_life="30d", confidence="log", min_per_user=5)
    Recipe(events={'VIEW': 1.0, 'LIKE': 2.0}, half_life=30.0, min_per_user=5, confidence='log')
    """

    columns: dict[str, str] = field(default_factory=dict)
    duplicates: Duplicates | None = None
    min_rating: float | None = None
    events: dict[str, float] = field(default_factory=dict)
    unknown_events: Literal["raise", "ignore"] | float = "raise"
    signals: dict[str, float] = field(default_factory=dict)
    normalize: Normalize = "minmax"
    half_life: float | str | None = None
    reference_date: int | str | date | None = None
    min_per_user: int = 1
    min_per_item: int = 1
    confidence: Confidence = "none"
    k1: float | None = None
    b: float | None = None
    length: SideName | None = None

    def __post_init__(self) -> None:
        for name, parse in _PARSERS.items():
            value = getattr(self, name)
            if value is not None or name not in _OPTIONAL_RULES:
                object.__setattr__(self, name, parse(name, value))  # the dataclass is frozen
        self._check_unused_rules()

    def _check_unused_rules(self) -> None:
        """Raise ParameterError for a rule that has no effect without another."""
        unused = (
            ("unknown_events", self.unknown_events != "raise" and not self.events, "events={'VIEW': 1, ...}"),
            ("normalize", self.normalize != "minmax" and not self.signals, "signals={'clicks': 1, ...}"),
            ("reference_date", self.reference_date is not None and self.half_life is None, "half_life='30d'"),
            *(
                (name, getattr(self, name) is not None and self.confidence != "bm25", "confidence='bm25'")
                for name in ("k1", "b", "length")
            ),
        )
        for name, is_unused, companion in unused:
            if is_unused:
                value = getattr(self, name)
                raise ParameterError(f"{name}={value!r} has no effect alone; pass {companion} too, or remove it.")

    def __repr__(self) -> str:
        return f"Recipe({', '.join(f'{name}={value!r}' for name, value in self.rules().items())})"

    def _html_table(self) -> TextTable:
        rules = self.rules()
        columns = {"rule": list(rules), "value": [repr(value) for value in rules.values()]} if rules else {}
        return TextTable("Recipe" if rules else repr(self), columns, frozenset())

    def is_set(self, name: str) -> bool:
        """Return whether a rule differs from its default."""
        return bool(getattr(self, name) != getattr(_DEFAULT_RECIPE, name))

    def rules(self) -> dict[str, Any]:
        """Return the rules that differ from their defaults, by name."""
        return {name: getattr(self, name) for name in RULES if self.is_set(name)}

    @property
    def rules_only(self) -> Recipe:
        """The rules without the statistics of the data to which they were fitted."""
        return self

    @property
    def makes_confidences(self) -> bool:
        """Whether these rules compute confidences, instead of keeping the values of the source."""
        return bool(self.events or self.signals or self.half_life is not None or self.confidence != "none")

    @property
    def has_core(self) -> bool:
        """Whether users or items need a minimum number of values (the k-core)."""
        return self.min_per_user > 1 or self.min_per_item > 1

    def value_of(self, raw: float) -> float | None:
        """Apply `min_rating` to the value of a pair: return 1 (a like), or None if the pair is dropped."""
        if self.min_rating is None:
            return raw
        return 1.0 if raw >= self.min_rating else None

    @classmethod
    def from_toml(cls, path: str | Path) -> Recipe:
        """Read the rules from a TOML file, under the names above. `events`, `signals` and `columns` are tables.

        Raises SourceError if the file cannot be read, and ParameterError if a name or value is not valid.
        """
        try:
            rules = tomllib.loads(Path(path).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}.") from None
        except tomllib.TOMLDecodeError as error:
            raise SourceError(f"{path} is not TOML: {error}.") from None
        for name in rules:
            if name not in RULES:
                new_name = FORMER_RULES.get(name)
                suggestion = f" Did you mean {new_name!r}?" if new_name else did_you_mean(name, RULES)
                raise ParameterError(
                    f"{path}: {name!r} is not a rule of a recipe; the rules are {', '.join(RULES)}.{suggestion}"
                )
        try:
            return cls(**rules)
        except ParameterError as error:
            raise ParameterError(f"{path}: {error}") from None


RULES = [rule.name for rule in fields(Recipe)]
_OPTIONAL_RULES = {rule.name for rule in fields(Recipe) if rule.default is None}
_DEFAULT_RECIPE = Recipe()
