"""Which column is the user, which the item: by name, however it is written, or as the caller says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alsatian.errors import ColumnError, listed, nearest
from alsatian.ingest.column_names import EVENTS, ITEM_NAMES, USUAL, plain
from alsatian.ingest.sources.source import Source

ROLES = (*USUAL, "event", "weight")
_ORDER = ("user", "item", "value", "time")


def is_amount(role: str) -> bool:
    """Tell whether the cells of a role are numbers; the columns that a recipe calls signals have roles of that name."""
    return role in ("value", "weight") or role.startswith("signal")


def find_roles(source: Source, named: Mapping[str, str | None]) -> dict[str, str]:
    """Return role -> column name. A role named "" is left out; user and item must be found, and events if asked for.

    Raises ColumnError when a named column does not exist or is named for two roles, when user or item is not
    recognised, and when two columns suit a role equally well.
    """
    chosen = {role: find_named(source, role, name) for role, name in named.items() if name}
    for column in chosen.values():
        twice = [role for role in chosen if chosen[role] == column and role != "title"]
        if len(twice) > 1:
            raise ColumnError(f"column {column!r} cannot be both {twice[0]}= and {twice[1]}=; name two columns.")
    free = [name for name in source.columns if name not in chosen.values()]
    asked = [role for role in USUAL if named.get(role) is None]
    asked += [role for role, name in named.items() if role == "event" and name is None]
    if source.positional:
        places = dict(zip(_ORDER, source.columns, strict=False)) if len(source.columns) <= len(_ORDER) else {}
        found = {role: places[role] for role in asked if places.get(role) in free}
    else:
        found = {role: name for role in asked if (name := _recognise(source, role, free)) is not None}
    chosen = found | chosen
    for role in ("user", "item", *(role for role in asked if role == "event")):
        if role not in chosen:
            raise ColumnError(_not_found(source, role, free))
    return {role: chosen[role] for role in ROLES if role in chosen}


def find_named(source: Source, role: str, name: str) -> str:
    """Return the column that the caller calls `name`, whatever its case."""
    alike = [column for column in source.columns if column.lower() == name.lower()]
    if name in source.columns:
        return name
    if len(alike) == 1:
        return alike[0]
    raise ColumnError(
        f"{source.name} has no column {name!r} for {role}=; its columns are {listed(list(source.columns))}."
        f"{nearest(name, list(source.columns))}"
    )


def find_title(source: Source, free: Iterable[str]) -> str | None:
    """Return the title column of a table of items, or None."""
    free = list(free)
    title = _recognise(source, "title", free)
    return title or next((column for name in ITEM_NAMES for column in free if plain(column) == name), None)


def _recognise(source: Source, role: str, free: list[str]) -> str | None:
    for group in _names(role):
        names = group.split()
        alike = [column for column in free if plain(column) in names]
        if len(alike) > 1:
            raise ColumnError(
                f"{source.name} has {len(alike)} columns that could be the {role}: {listed(alike)}; "
                f"pass {role}={alike[0]!r} or {role}={alike[1]!r} (--{role})."
            )
        if alike:
            return alike[0]
    return None


def _names(role: str) -> tuple[str, ...]:
    return EVENTS if role == "event" else USUAL[role]


def _not_found(source: Source, role: str, free: list[str]) -> str:
    names = {plain(column): column for column in free}
    close = next((hint for group in _names(role) for word in group.split() if (hint := nearest(word, list(names)))), "")
    guess = next((column for key, column in names.items() if repr(key) in close), None)
    return (
        f"no column of {source.name} is known to be the {role}; "
        f"its columns are {listed(list(source.columns))}. "
        + (f"Did you mean {role}={guess!r}? " if guess else "")
        + f"Pass {role}=COLUMN (--{role} COLUMN)."
    )
