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

# The fields that are rules of a recipe.
_RECIPE_OPTIONS = (
    *("duplicates", "events", "unknown_events", "signals", "normalize", "half_life", "reference_date"),
    *("min_per_user", "min_per_item", "confidence"),
)
# The fields that a model stores, to read its source again.
_STORED_OPTIONS = ("delimiter", "query", "bad_rows", "scale", "where")

DUPLICATES_HELP = (
    "How to merge rows of the same user and item: last, sum, max or mean; raise stops with an error. "
    "Default: last for ratings, sum for counts and events."
)
RECIPE_HELP = "A TOML file of reading rules. Options on the command line override it."


def column_option(role: str) -> Any:
    """Return the typer option for the column of a role, such as --value."""
    suffix = "" if role in ("user", "item") else "; '' for none"
    return typer.Option(f"--{role}", metavar="COLUMN", help=f"The {role} column, if not detected{suffix}.")


@dataclass(frozen=True)
class SourceOptions:
    """The options of a command that reads a source; the fields are the arguments of `alsatian.read`."""

    items: Annotated[
        str | None, typer.Option("--items", metavar="FILE", help="A file with titles and attributes of the items.")
    ] = None
    users: Annotated[
        str | None, typer.Option("--users", metavar="FILE", help="A file with attributes of the users.")
    ] = None
    include_unrated: Annotated[
        bool,
        typer.Option(
            "--include-unrated",
            help="Keep items of --items and users of --users without values, to score them from attributes.",
        ),
    ] = False
    user: Annotated[str | None, column_option("user")] = None
    item: Annotated[str | None, column_option("item")] = None
    value: Annotated[str | None, column_option("value")] = None
    time: Annotated[str | None, column_option("time")] = None
    weight: Annotated[
        str | None,
        typer.Option("--weight", metavar="COLUMN", help="The column with the weight of each row."),
    ] = None
    event: Annotated[str | None, column_option("event")] = None
    title: Annotated[str | None, column_option("title")] = None
    delimiter: Annotated[
        str | None,
        typer.Option("--delimiter", metavar="TEXT", help="The field separator, if not detected."),
    ] = None
    query: Annotated[
        str | None, typer.Option("--query", metavar="SQL", help="The query to read from a database URL.")
    ] = None
    duplicates: Annotated[
        str | None,
        typer.Option(
            "--duplicates",
            metavar="RULE",
            help=DUPLICATES_HELP,
        ),
    ] = None
    bad_rows: Annotated[
        str,
        typer.Option("--bad-rows", metavar="RULE", help="Whether to stop at invalid rows, or skip and count them."),
    ] = "stop"
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale", metavar="LOW,HIGH", help="The valid range of values, such as 0.5,5. Rows outside it are invalid."
        ),
    ] = None
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help='Read only rows that match, such as "rating > 0".'),
    ] = None
    recipe: Annotated[
        str | None,
        typer.Option("--recipe", metavar="FILE", help=RECIPE_HELP),
    ] = None
    events: Annotated[
        str | None,
        typer.Option("--events", metavar="NAME=WEIGHT,...", help="Weights of events, such as VIEW=1,LIKE=2."),
    ] = None
    unknown_events: Annotated[
        str | None,
        typer.Option(
            "--unknown-events",
            metavar="RULE",
            help="Events without a weight: raise (an error, the default), ignore (drop them), or a number as weight.",
        ),
    ] = None
    signals: Annotated[
        str | None,
        typer.Option(
            "--signals",
            metavar="COLUMN=WEIGHT,...",
            help="Columns to compute the value from, with weights, such as clicks=1,carts=3.",
        ),
    ] = None
    normalize: Annotated[
        str | None,
        typer.Option("--normalize", metavar="HOW", help="How to scale signals to 0..1: minmax (the default) or rank."),
    ] = None
    half_life: Annotated[
        str | None,
        typer.Option(
            "--half-life", metavar="SPAN", help="Age at which a value has faded to half: in days, or as 30d or 8w."
        ),
    ] = None
    reference_date: Annotated[
        str | None,
        typer.Option(
            "--reference-date", metavar="DATE", help="Date from which ages are measured. Default: the newest time."
        ),
    ] = None
    min_per_user: Annotated[
        int | None, typer.Option("--min-per-user", metavar="N", help="Drop users with fewer than N values.")
    ] = None
    min_per_item: Annotated[
        int | None, typer.Option("--min-per-item", metavar="N", help="Drop items with fewer than N values.")
    ] = None
    confidence: Annotated[
        str | None,
        typer.Option("--confidence", metavar="HOW", help="How to transform amounts: none (the default), log or bm25."),
    ] = None
    rules: Any = None  # a Recipe that replaces the one from the options

    @cached_property
    def resolved_recipe(self) -> Recipe:
        """The recipe of the options. Its file is read once, because it may be a pipe."""
        return cast("Recipe", self.rules) or make_recipe(
            self.recipe, {name: getattr(self, name) for name in _RECIPE_OPTIONS}
        )

    def check(self) -> None:
        """Raise ParameterError for an invalid rule or scale, before anything is read."""
        self._read_options()

    def load(self, source: str, extra_rows: ExtraRows | None = None) -> Interactions:
        """Read the source, or load the dataset of that name. extra_rows: rows to add to those of the source.

        Raises DataError, ParameterError, DependencyError.
        """
        from alsatian.datasets import builtin
        from alsatian.ingest.reader import read_source

        options = self._read_options()
        if is_sample(source):
            self.reject_options(f"{source} is a built-in dataset")
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
        """Raise ParameterError if any reading option is given. conditions: further options by name -> whether given."""
        names = [f.name for f in fields(self) if getattr(self, f.name) not in (f.default, "skip")]
        for name in (*names, *(name for name, is_set in conditions.items() if is_set)):
            flag = "--" + name.replace("_", "-")
            raise ParameterError(f"{reason}, so {flag} has no effect; remove it.")

    @classmethod
    def from_model(cls, recipe: FittedRecipe, source: str) -> SourceOptions:
        """Return the options with which the source of a model was read, to read it or a newer version of it.

        Columns that the model does not store (times, titles of events) may be missing in the source.
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
            name: value for name, value in recipe.reading.items() if name in _STORED_OPTIONS
        }
        if reading_options.get("scale"):
            reading_options["scale"] = ",".join(map(repr, reading_options["scale"]))
        return cls(**cast(Any, roles), rules=recipe.rules_only, **reading_options)


def is_sample(source: str) -> bool:
    """Return whether a source is the name of a dataset; a file of that name takes precedence."""
    from alsatian.datasets import builtin

    return source in builtin.names() and not Path(source).exists()


def _check_source(source: str) -> None:
    """Raise SourceError for a model file and for a misspelt name of a dataset."""
    from alsatian.datasets import builtin
    from alsatian.persistence.container import is_model_file

    if is_model_file(path := Path(source)):
        raise SourceError(f"{source} is a model, not data; 'alsatian inspect {source}' shows its contents.")
    is_word = path.name == source and not path.suffix and not path.exists()
    if is_word and (hint := did_you_mean(source, builtin.names())):
        raise SourceError(f"there is no file {source!r}, and no dataset of that name.{hint}")


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
    """Return the reading options with `min_rating` in their recipe where it must be there, and the effective value.

    A recipe that weights values, or drops users and items with few values, must apply min_rating itself. Without such a
    recipe, the values are binarized after reading.
    """
    rules = reading.resolved_recipe
    effective_min_rating = resolve_min_rating(rules, min_rating)
    if effective_min_rating != rules.min_rating and (rules.makes_confidences or rules.has_core):
        reading = replace(reading, rules=replace(rules, min_rating=effective_min_rating))
    return reading, effective_min_rating


def with_source_options(exclude: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command so that it has one option for each field of SourceOptions.

    The command declares one parameter, `reading: SourceOptions`. Typer builds options from the signature of a function,
    so the wrapper gets a signature of its own at run time: the parameters of the command without `reading`, then the
    fields of SourceOptions as keyword-only parameters, then `as_json`, so that --json is listed last. When called, the
    wrapper packs the field arguments into SourceOptions and calls the command. To add an option to all commands that
    read a source, add a field to SourceOptions; nothing else changes.

    exclude: fields that this command has no option for; they keep their defaults.
    """

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
