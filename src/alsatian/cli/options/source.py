"""The options that say how a source is read: declared once, for every command that reads one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_type_hints

import typer

from alsatian.cli.options.recipe import make_recipe
from alsatian.errors import ParameterError, SourceError, nearest

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.data.recipe import Recipe
    from alsatian.ingest.extra_rows import Beside

_RULES = (
    *("duplicates", "events", "unknown_events", "signals", "normalize", "half_life", "reference"),
    *("min_per_user", "min_per_item", "confidence"),
)  # the fields that are rules of a recipe
_KEPT = (
    "delimiter",
    "query",
    "bad_rows",
    "scale",
    "where",
)  # what a model remembers, to read its source again


def _column(role: str) -> Any:
    return typer.Option(f"--{role}", metavar="COLUMN", help=f"The {role} column, if not recognised; '' for none.")


@dataclass(frozen=True)
class Reading:
    """How a source is to be read; the fields are those of `alsatian.read`."""

    items: Annotated[
        str | None, typer.Option("--items", metavar="FILE", help="A table of the items: titles, attributes.")
    ] = None
    users: Annotated[str | None, typer.Option("--users", metavar="FILE", help="A table of the users: attributes.")] = (
        None
    )
    cold: Annotated[
        bool,
        typer.Option("--cold", help="Keep items and users of these tables that have no value, to place by attributes."),
    ] = False
    user: Annotated[
        str | None, typer.Option("--user", metavar="COLUMN", help="The user column, if not recognised.")
    ] = None
    item: Annotated[
        str | None, typer.Option("--item", metavar="COLUMN", help="The item column, if not recognised.")
    ] = None
    value: Annotated[str | None, _column("value")] = None
    time: Annotated[str | None, _column("time")] = None
    weight: Annotated[
        str | None,
        typer.Option("--weight", metavar="COLUMN", help="A column that says how much each row counts."),
    ] = None
    event: Annotated[str | None, _column("event")] = None
    title: Annotated[str | None, _column("title")] = None
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
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="DATE", help="Ages count from here; else the newest time.")
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
    def made_rules(self) -> Recipe:
        """The recipe that the options make; its file, which may be a pipe, is read once."""
        return cast("Recipe", self.rules) or make_recipe(self.recipe, {name: getattr(self, name) for name in _RULES})

    def check(self) -> None:
        """Raise ParameterError for a rule or scale that is not one, before anything is read."""
        from alsatian.ingest.assemble import Rules

        Rules(None, cast(Any, self.bad_rows), _bounds(self.scale), self.where, self.cold, self.made_rules)

    def load(self, source: str, beside: Beside | None = None) -> Interactions:
        """Read the source, or load the sample of that name. beside: rows that join those of the source."""
        from alsatian.datasets import builtin
        from alsatian.ingest import read

        self.check()
        if is_sample(source):
            self.refuse(f"{source} is a sample")
            return builtin.load(source, beside=beside)
        _check_source(source)
        names = {f.name for f in fields(self)} - {*_RULES, "rules"}
        options = {name: getattr(self, name) for name in names}
        return read(source, **options | {"scale": _bounds(self.scale), "recipe": self.made_rules}, beside=beside)

    def refuse(self, why: str, **others: bool) -> None:
        """Raise ParameterError if any option is given where none has an effect. others: name -> is it given."""
        given = [f.name for f in fields(self) if getattr(self, f.name) not in (f.default, "skip")]
        for name in (*given, *(name for name, is_given in others.items() if is_given)):
            flag = "--" + name.replace("_", "-")
            raise ParameterError(f"{why}, which {flag} does not change; leave {flag} out.")

    @classmethod
    def again(cls, recipe: Recipe, source: str) -> Reading:
        """Return how the source of a model was read, to read it, or a newer one, in the same way.

        What the model does not keep, times and titles of events, may be missing in the source.
        """
        from alsatian.ingest.reader import columns_of
        from alsatian.ingest.rows.roles import ROLES

        if is_sample(source):
            return cls()
        _check_source(source)
        roles = {role: recipe.columns.get(role, "") for role in ROLES}
        optional = [role for role in ("time", "title") if roles[role] and not recipe.reading.get("query")]
        if optional:
            there = {name.lower() for name in columns_of(source, recipe.reading.get("delimiter"))}
            roles |= {role: "" for role in optional if roles[role].lower() not in there}
        kept: dict[str, Any] = {name: value for name, value in recipe.reading.items() if name in _KEPT}
        if kept.get("scale"):
            kept["scale"] = ",".join(map(repr, kept["scale"]))
        return cls(**cast(Any, roles), rules=recipe.unfitted, **kept)


def is_sample(source: str) -> bool:
    """Tell whether a source is the name of a sample; a file of that name comes first."""
    from alsatian.datasets import builtin

    return source in builtin.names() and not Path(source).exists()


def _check_source(source: str) -> None:
    """Raise SourceError for a model, and for a sample whose name is misspelt."""
    from alsatian.datasets import builtin
    from alsatian.persistence.container import looks_like_model

    if looks_like_model(path := Path(source)):
        raise SourceError(f"{source} is a model, not data; 'alsatian inspect {source}' shows what it holds.")
    word = path.name == source and not path.suffix and not path.exists()
    if word and (hint := nearest(source, builtin.names())):
        raise SourceError(f"there is no file {source!r}, and no sample of that name.{hint}")


def _bounds(written: str | None) -> tuple[float, float] | None:
    if written is None:
        return None
    try:
        low, high = map(float, written.split(","))
    except ValueError:
        raise ParameterError(
            f"--scale {written!r} is not LOW,HIGH; pass the smallest and the largest value, such as 0.5,5."
        ) from None
    return low, high


def with_reading(without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of Reading; it receives them as one argument, `reading`."""

    def extend(command: Callable[..., None]) -> Callable[..., None]:
        own = dict(inspect.signature(command, eval_str=True).parameters)
        hints = get_type_hints(Reading, include_extras=True)
        options = [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(Reading)
            if f.name not in (*without, "rules")
        ]

        def extended(**given: Any) -> None:
            reading = Reading(**{option.name: given.pop(option.name) for option in options})
            command(reading=reading, **given)

        last = own.pop("as_json")
        del own["reading"]
        parameters = [*own.values(), *options, last]
        extended.__name__, extended.__doc__ = command.__name__, command.__doc__
        extended.__annotations__ = {p.name: p.annotation for p in parameters}
        extended.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
        )
        return extended

    return extend
