"""The options that say how a source is read: declared once, for every command that reads one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import typer

from alsatian.cli.options.recipe import make_recipe, resolve_min_rating
from alsatian.errors import ParameterError, SourceError, did_you_mean

if TYPE_CHECKING:
    from alsatian.data.fitted_recipe import FittedRecipe
    from alsatian.data.interactions import Interactions
    from alsatian.data.recipe import Recipe
    from alsatian.ingest.extra_rows import ExtraRows
    from alsatian.ingest.read_options import ReadOptions

_RECIPE_OPTIONS = (
    *("duplicates", "events", "unknown_events", "signals", "normalize", "half_life", "reference_date"),
    *("min_per_user", "min_per_item", "confidence"),
)  # the fields that are rules of a recipe
_REMEMBERED_OPTIONS = (
    "delimiter",
    "query",
    "bad_rows",
    "scale",
    "where",
)  # what a model remembers, to read its source again


def column_option(role: str) -> Any:
    return typer.Option(f"--{role}", metavar="COLUMN", help=f"The {role} column, if not recognised; '' for none.")


@dataclass(frozen=True)
class SourceOptions:
    """How a source is to be read; the fields are those of `alsatian.read`."""

    items: Annotated[
        str | None, typer.Option("--items", metavar="FILE", help="A table of the items: titles, attributes.")
    ] = None
    users: Annotated[str | None, typer.Option("--users", metavar="FILE", help="A table of the users: attributes.")] = (
        None
    )
    include_unrated: Annotated[
        bool,
        typer.Option(
            "--include-unrated", help="Keep items and users of these tables that have no value, to place by attributes."
        ),
    ] = False
    user: Annotated[
        str | None, typer.Option("--user", metavar="COLUMN", help="The user column, if not recognised.")
    ] = None
    item: Annotated[
        str | None, typer.Option("--item", metavar="COLUMN", help="The item column, if not recognised.")
    ] = None
    value: Annotated[str | None, column_option("value")] = None
    time: Annotated[str | None, column_option("time")] = None
    weight: Annotated[
        str | None,
        typer.Option("--weight", metavar="COLUMN", help="A column that says how much each row counts."),
    ] = None
    event: Annotated[str | None, column_option("event")] = None
    title: Annotated[str | None, column_option("title")] = None
    delimiter: Annotated[
        str | None,
        typer.Option("--delimiter", metavar="TEXT", help="What parts the fields, if not recognised."),
    ] = None
    query: Annotated[str | None, typer.Option("--query", metavar="SQL", help="What to select from a database URL.")] = (
        None
    )
    duplicates: Annotated[
        str | None,
        typer.Option(
            "--duplicates",
            metavar="RULE",
            help="What rows of the same user and item become: last, sum, max, mean, or raise an error.",
        ),
    ] = None
    bad_rows: Annotated[
        str,
        typer.Option("--bad-rows", metavar="RULE", help="stop at rows that cannot be used, or skip and count them."),
    ] = "stop"
    scale: Annotated[
        str | None,
        typer.Option("--scale", metavar="LOW,HIGH", help="The bounds of the values; rows outside are bad."),
    ] = None
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help='Only rows whose columns fulfil this, such as "rating > 0".'),
    ] = None
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", metavar="FILE", help="Rules in a TOML file; the options here come before it."),
    ] = None
    events: Annotated[
        str | None,
        typer.Option("--events", metavar="NAME=WEIGHT,...", help="Weights of events, such as VIEW=1,LIKE=2."),
    ] = None
    unknown_events: Annotated[
        str | None,
        typer.Option("--unknown-events", metavar="RULE", help="raise an error, ignore and count them, or a weight."),
    ] = None
    signals: Annotated[
        str | None,
        typer.Option("--signals", metavar="COLUMN=WEIGHT,...", help="Columns that make the value, such as clicks=1."),
    ] = None
    normalize: Annotated[
        str | None, typer.Option("--normalize", metavar="HOW", help="Signals to 0..1: minmax (usual) or rank.")
    ] = None
    half_life: Annotated[
        str | None, typer.Option("--half-life", metavar="SPAN", help="Values lose half in so many days, or 30d, 8w.")
    ] = None
    reference_date: Annotated[
        str | None,
        typer.Option("--reference-date", metavar="DATE", help="Measure ages from this date; default: the newest time."),
    ] = None
    min_per_user: Annotated[
        int | None, typer.Option("--min-per-user", metavar="N", help="Leave out users with fewer values.")
    ] = None
    min_per_item: Annotated[
        int | None, typer.Option("--min-per-item", metavar="N", help="Leave out items with fewer values.")
    ] = None
    confidence: Annotated[
        str | None, typer.Option("--confidence", metavar="HOW", help="What amounts become: none (usual), log or bm25.")
    ] = None
    rules: Any = None  # a Recipe, instead of those that the options make

    @cached_property
    def resolved_recipe(self) -> Recipe:
        """The recipe that the options make; its file, which may be a pipe, is read once."""
        return cast("Recipe", self.rules) or make_recipe(
            self.recipe, {name: getattr(self, name) for name in _RECIPE_OPTIONS}
        )

    def check(self) -> None:
        """Raise ParameterError for a rule or scale that is not one, before anything is read."""
        self._read_options()

    def load(self, source: str, extra_rows: ExtraRows | None = None) -> Interactions:
        """Read the source, or load the sample of that name. extra_rows: rows that join those of the source."""
        from alsatian.datasets import builtin
        from alsatian.ingest.reader import read_source

        options = self._read_options()
        if is_sample(source):
            self.reject_options(f"{source} is a sample")
            return builtin.load_with_extra_rows(source, extra_rows)
        _check_source(source)
        return read_source(source, options, items=self.items, users=self.users, extra_rows=extra_rows)

    def _read_options(self) -> ReadOptions:
        from alsatian.ingest.read_options import ReadOptions
        from alsatian.ingest.rows.roles import ROLES

        return ReadOptions(
            columns={role: getattr(self, role) for role in ROLES},
            bad_rows=cast(Any, self.bad_rows),
            scale=_parse_scale(self.scale),
            where=self.where,
            query=self.query,
            delimiter=self.delimiter,
            include_unrated=self.include_unrated,
            recipe=self.resolved_recipe,
        )

    def reject_options(self, reason: str, **conditions: bool) -> None:
        """Raise ParameterError if any option is given where none has an effect. others: name -> is it given."""
        names = [f.name for f in fields(self) if getattr(self, f.name) not in (f.default, "skip")]
        for name in (*names, *(name for name, is_set in conditions.items() if is_set)):
            flag = "--" + name.replace("_", "-")
            raise ParameterError(f"{reason}, which {flag} does not change; leave {flag} out.")

    @classmethod
    def from_model(cls, recipe: FittedRecipe, source: str) -> SourceOptions:
        """Return how the source of a model was read, to read it, or a newer one, in the same way.

        What the model does not keep, times and titles of events, may be missing in the source.
        """
        from alsatian.ingest.reader import read_column_names
        from alsatian.ingest.rows.roles import ROLES

        if is_sample(source):
            return cls()
        _check_source(source)
        roles = {role: recipe.columns.get(role, "") for role in ROLES}
        optional = [role for role in ("time", "title") if roles[role] and not recipe.reading.get("query")]
        if optional:
            column_names = {name.lower() for name in read_column_names(source, recipe.reading.get("delimiter"))}
            roles |= {role: "" for role in optional if roles[role].lower() not in column_names}
        reading_options: dict[str, Any] = {
            name: value for name, value in recipe.reading.items() if name in _REMEMBERED_OPTIONS
        }
        if reading_options.get("scale"):
            reading_options["scale"] = ",".join(map(repr, reading_options["scale"]))
        return cls(**cast(Any, roles), rules=recipe.rules_only, **reading_options)


def is_sample(source: str) -> bool:
    """Tell whether a source is the name of a sample; a file of that name comes first."""
    from alsatian.datasets import builtin

    return source in builtin.names() and not Path(source).exists()


def _check_source(source: str) -> None:
    """Raise SourceError for a model, and for a sample whose name is misspelt."""
    from alsatian.datasets import builtin
    from alsatian.persistence.container import is_model_file

    if is_model_file(path := Path(source)):
        raise SourceError(f"{source} is a model, not data; 'alsatian inspect {source}' shows what it holds.")
    is_word = path.name == source and not path.suffix and not path.exists()
    if is_word and (hint := did_you_mean(source, builtin.names())):
        raise SourceError(f"there is no file {source!r}, and no sample of that name.{hint}")


def _parse_scale(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise ParameterError(
            f"--scale {text!r} is not LOW,HIGH; pass the smallest and the largest value, such as 0.5,5."
        ) from None
    return low, high


def apply_min_rating(reading: SourceOptions, min_rating: float | None) -> tuple[SourceOptions, float | None]:
    """Return from which value on ratings are likes, as the option or the recipe says, and a reading that heeds it.

    Where a recipe weighs values or asks for least counts, it must know; else likes are taken from what was read.
    """
    rules = reading.resolved_recipe
    effective_min_rating = resolve_min_rating(rules, min_rating)
    if effective_min_rating != rules.min_rating and (rules.makes_confidences or rules.has_core):
        reading = replace(reading, rules=replace(rules, min_rating=effective_min_rating))
    return reading, effective_min_rating


def with_source_options(exclude: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of Reading; it receives them as one argument, `reading`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command_parameters = dict(inspect.signature(command, eval_str=True).parameters)
        hints = get_type_hints(SourceOptions, include_extras=True)
        options = [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(SourceOptions)
            if f.name not in (*exclude, "rules")
        ]

        def wrapper(**arguments: Any) -> None:
            reading = SourceOptions(**{option.name: arguments.pop(option.name) for option in options})
            command(reading=reading, **arguments)

        json_parameter = command_parameters.pop("as_json")
        del command_parameters["reading"]
        parameters = [*command_parameters.values(), *options, json_parameter]
        wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
        wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        )
        return wrapper

    return decorate
