"""How raw rows become values. The model keeps it, so that a visitor's raw rows are treated in the same way."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import parse_duration, parse_timestamp, require_finite, require_int
from alsatian.data import weighting
from alsatian.errors import DataError, ParameterError, SourceError, did_you_mean

Duplicates = Literal["last", "sum", "max", "mean", "raise"]
BadRows = Literal["stop", "skip"]
Normalize = Literal["minmax", "rank"]
Confidence = Literal["none", "log", "bm25"]
SideName = Literal["user", "item"]

Float32Array = NDArray[np.float32]
_FITTED_FIELDS = ("reading", "fitted", "item_counts")  # what a reading adds; the other fields are rules
FORMER_RULES = {"at_least": "min_rating", "reference": "reference_date"}  # names of version 0.1
_DEFAULT_K1, _DEFAULT_B, _DEFAULT_LENGTH = 1.2, 0.75, "user"


@dataclass(frozen=True)
class Recipe:
    """The rules by which raw rows become values, in the order in which they apply; all of them may be left out.

    columns: role ("user", "item", "value", "time", "event", "title") -> name of the column, or "" for none.
    events: name of an event -> its weight, such as {"VIEW": 1, "LIKE": 2}; a row's value is multiplied by it.
    unknown_events: what becomes of a row whose event has no weight: "raise", "ignore" (and count), or a weight.
    signals: name of a column -> its weight, such as {"clicks": 1, "seconds": 0.5}; a row's value is the weighted sum
        of these columns, each brought to 0..1. Pairs that come to 0 are left out.
    normalize: how a signal is brought to 0..1: by its least and its largest value ("minmax") or by its "rank".
    half_life: in so many days (or "30d", "12h", "8w", "1y") a value loses half of its weight.
    reference: the moment from which ages are counted (seconds since 1970, or a date); None: the newest time.
    duplicates: what a repeated pair of user and item becomes: its "last" value (the latest time, then the
        latest row), the "sum", "max" or "mean" of its values, or an error. None lets a reading choose.
    at_least: pairs of at least this value become 1 (a like) and the others are left out. Then likes lose weight by
        age, not the values that are compared.
    min_per_user, min_per_item: users and items with fewer values are left out, until all have enough (the core).
    confidence: what the value v of a pair becomes: "log" is log(1 + v), Hu, Koren and Volinsky's eq. 6 (the 1 and the
        slope before it belong to the model, and epsilon to the weights above); "bm25" is in `weighing.bm25`.
    k1, b, length: of BM25 (1.2, 0.75): where it saturates, how much the length counts, and whose: "user" or "item".
    reading: the other options of `read` that shaped the rows (where, bad_rows, scale, delimiter, query), so that
        the source can be read again in the same way.
    fitted: what the data had to tell: the reference time, the bounds of signals, the size of BM25's documents.
    item_counts: of BM25, how many users have each item, or how long it is; one number an item, or None.

    >>> Recipe(events={"VIEW": 1, "LIKE": 2}, half_life="30d", confidence="log", min_per_user=5)
    Recipe(events={'VIEW': 1.0, 'LIKE': 2.0}, half_life=30.0, min_per_user=5, confidence='log')
    """

    columns: dict[str, str] = field(default_factory=dict)
    duplicates: Duplicates | None = None
    min_rating: float | None = None
    reading: dict[str, Any] = field(default_factory=dict)
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
    fitted: dict[str, Any] = field(default_factory=dict)
    item_counts: NDArray[Any] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.duplicates is not None:
            _require_choice("duplicates", self.duplicates, Duplicates)
        _require_choice("normalize", self.normalize, Normalize)
        _require_choice("confidence", self.confidence, Confidence)
        if self.length is not None:
            _require_choice("length", self.length, SideName)
        self._set_fields(
            columns=_parse_columns(self.columns),
            events=_parse_weights("events", self.events),
            signals=_parse_weights("signals", self.signals, minimum=0.0),
            half_life=None if self.half_life is None else parse_duration("half_life", self.half_life),
            reference_date=None
            if self.reference_date is None
            else parse_timestamp("reference_date", self.reference_date),
            min_per_user=require_int("min_per_user", self.min_per_user, 1),
            min_per_item=require_int("min_per_item", self.min_per_item, 1),
            unknown_events=_parse_unknown_events(self.unknown_events),
            min_rating=None if self.min_rating is None else require_finite("min_rating", self.min_rating),
            k1=None if self.k1 is None else require_finite("k1", self.k1, low=0.0),
            b=None if self.b is None else require_finite("b", self.b, low=0.0, high=1.0),
        )
        self._check_unused_rules()

    def _set_fields(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _check_unused_rules(self) -> None:
        """Raise ParameterError for a rule that does nothing beside the others."""
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
                raise ParameterError(f"{name}={value!r} has no effect alone; pass {companion} too, or leave it out.")

    def __repr__(self) -> str:
        return f"Recipe({', '.join(f'{name}={value!r}' for name, value in self.rules().items())})"

    def is_set(self, name: str) -> bool:
        """Tell whether a rule is other than what it is when left out."""
        return bool(getattr(self, name) != getattr(_DEFAULT_RECIPE, name))

    def rules(self) -> dict[str, Any]:
        """Return the rules that were given, by name."""
        return {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in _FITTED_FIELDS and self.is_set(f.name)
        }

    @property
    def rules_only(self) -> Recipe:
        """The rules alone, without what they found in the data they were used on."""
        return replace(self, reading={}, fitted={}, item_counts=None)

    @property
    def makes_confidences(self) -> bool:
        """Whether values are confidences that these rules made, rather than what somebody wrote."""
        return bool(self.events or self.signals or self.half_life is not None or self.confidence != "none")

    @property
    def has_core(self) -> bool:
        """Whether users and items must have a number of values to stay."""
        return self.min_per_user > 1 or self.min_per_item > 1

    # From a raw row to its value, and from a pair of user and item to its value: for data and visitors alike

    def event_weights(self, names: Sequence[str]) -> Float32Array:
        """Return the weight of each event; NaN for one that has none."""
        default = np.nan if isinstance(self.unknown_events, str) else self.unknown_events
        return np.array([self.events.get(name, default) for name in names], np.float32)

    def row_values(
        self,
        values: Float32Array,
        weights: Float32Array | None,
        signals: Mapping[str, Float32Array],
        times: NDArray[np.int64] | None,
    ) -> Float32Array:
        """Return the value of each raw row from its written value, the weight of its event, its signals and its age."""
        if self.signals:
            scalers = self.fitted["signals"]
            parts = [
                weight * weighting.apply_scaler(signals[name], scalers[name]) for name, weight in self.signals.items()
            ]
            values = np.sum(parts, axis=0).astype(np.float32)
        if weights is not None:
            values = values * weights
        return values if self.min_rating is not None else self._apply_decay(values, times)

    def pair_values(
        self, values: Float32Array, times: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.bool_], Float32Array]:
        """Return which pairs of combined values remain, and the value of each of these."""
        if self.min_rating is not None:
            mask = values >= self.min_rating
            return mask, self._apply_decay(np.ones(int(mask.sum()), np.float32), None if times is None else times[mask])
        mask = values != 0 if self.signals else np.ones(len(values), np.bool_)
        return mask, values[mask]

    def _apply_decay(self, values: Float32Array, times: NDArray[np.int64] | None) -> Float32Array:
        if self.half_life is None or times is None:
            return values
        assert isinstance(self.half_life, float)
        return (values * weighting.half_life_decay(times, self.fitted["reference"], self.half_life)).astype(np.float32)

    def confidences(self, values: Float32Array, users: NDArray[Any], items: NDArray[Any]) -> Float32Array:
        """Return what the values of pairs become. All pairs of a user are given; items by their row numbers."""
        if self.confidence == "none":
            return values
        if (low := values.min(initial=0)) < 0:
            raise DataError(
                f"confidence={self.confidence!r} is of amounts, and there is a value of {low:g}; leave such rows out."
            )
        if self.confidence == "log":
            return np.log1p(values)
        assert self.item_counts is not None
        statistics = self.fitted["bm25"]
        weights = weighting.bm25(values.astype(np.float64), users, items, statistics, self.item_counts, *self._bm25)
        return weights.astype(np.float32)

    @property
    def _bm25(self) -> tuple[float, float, str]:
        return (
            _DEFAULT_K1 if self.k1 is None else self.k1,
            _DEFAULT_B if self.b is None else self.b,
            self.length or _DEFAULT_LENGTH,
        )

    # What the rules must learn from the data

    def fit_rows(self, signals: Mapping[str, Float32Array], times: NDArray[np.int64] | None) -> Recipe:
        """Return this recipe with what it needs to know of raw rows, unless it knows already."""
        fitted: dict[str, Any] = {}
        if self.signals:
            fitted["signals"] = {name: weighting.fit_scaler(signals[name], self.normalize) for name in self.signals}
            for name, scaler in fitted["signals"].items():
                if "signals" not in self.fitted and scaler["at"][0] == scaler["at"][-1]:
                    raise DataError(f"signal {name!r} is {scaler['at'][0]:g} in all rows and tells nothing; drop it.")
        if self.half_life is not None:
            if times is None:
                raise DataError("half_life needs the times of rows; name their column by time= (--time).")
            fitted["reference"] = int(times.max()) if self.reference_date is None else self.reference_date
        return replace(self, fitted=fitted | self.fitted)

    def fit_pairs(self, values: Float32Array, users: NDArray[Any], items: NDArray[Any], n_items: int) -> Recipe:
        """Return this recipe with what BM25 needs to know of all pairs."""
        if self.confidence != "bm25":
            return self
        if "bm25" in self.fitted:
            raise ParameterError("this recipe's BM25 has counted the items of other data; pass recipe.rules_only.")
        statistics, counts = weighting.bm25_counts(values.astype(np.float64), users, items, n_items, self._bm25[2])
        return replace(self, fitted=self.fitted | {"bm25": statistics}, item_counts=counts)

    def value_of(self, raw: float) -> float | None:
        """Return the value that the value of a pair becomes by `min_rating`, or None where it is left out."""
        if self.min_rating is None:
            return raw
        return 1.0 if raw >= self.min_rating else None

    # As JSON in a model file, and as TOML

    def to_json(self) -> dict[str, Any]:
        """Return all but `item_counts`, which are an array of the model file."""
        record = asdict(replace(self, item_counts=None))
        del record["item_counts"]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any], item_counts: NDArray[Any] | None = None) -> Recipe:
        field_names = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in field_names}, item_counts=item_counts)

    @classmethod
    def from_toml(cls, path: str | Path) -> Recipe:
        """Read the rules from a TOML file: the names above, `events`, `signals` and `columns` as tables.

        Raises SourceError where the file cannot be read, ParameterError for a name or value that is none.
        """
        try:
            rules = tomllib.loads(Path(path).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}.") from None
        except tomllib.TOMLDecodeError as error:
            raise SourceError(f"{path} is not TOML: {error}.") from None
        field_names = [f.name for f in fields(cls) if f.name not in _FITTED_FIELDS]
        for name in rules:
            if name not in field_names:
                new_name = FORMER_RULES.get(name)
                suggestion = f" Did you mean {new_name!r}?" if new_name else did_you_mean(name, field_names)
                raise ParameterError(f"{path}: a recipe has no {name!r}; it has {', '.join(field_names)}.{suggestion}")
        try:
            return cls(**rules)
        except ParameterError as error:
            raise ParameterError(f"{path}: {error}") from None


def _require_choice(name: str, value: object, choices: Any) -> None:
    if value not in get_args(choices):
        choice_text = " or ".join(map(repr, get_args(choices)))
        raise ParameterError(f"{name}={value!r} is not a rule; choose {choice_text}.")


def _parse_weights(name: str, mapping: object, minimum: float = -np.inf) -> dict[str, float]:
    if not isinstance(mapping, Mapping):
        raise ParameterError(f"{name}={mapping!r} is no mapping from names to weights; pass {{'VIEW': 1, 'LIKE': 2}}.")
    weights = {str(key): require_finite(f"the weight of {key!r} in {name}", value) for key, value in mapping.items()}
    for key, weight in weights.items():
        if weight <= minimum:
            raise ParameterError(f"the weight of {key!r} in {name} is {weight:g}; it must be above {minimum:g}.")
    return weights


def _parse_columns(mapping: object) -> dict[str, str]:
    if not isinstance(mapping, Mapping) or not all(isinstance(name, str) for name in mapping.values()):
        raise ParameterError(f"columns={mapping!r} is no mapping from roles to columns; pass {{'event': 'eventType'}}.")
    return {str(role): name for role, name in mapping.items()}


def _parse_unknown_events(value: object) -> Any:
    if value in ("raise", "ignore"):
        return value
    if isinstance(value, str):
        raise ParameterError(f"unknown_events={value!r} is not a word; choose 'raise', 'ignore' or a weight.")
    return require_finite("unknown_events", value)


_DEFAULT_RECIPE = Recipe()
