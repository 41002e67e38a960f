"""Find the column of each role (user, item, value ...), by its name or as the caller says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alsatian.errors import ColumnError, did_you_mean, join_names
from alsatian.ingest.column_names import (
    EVENT_COLUMN_NAMES,
    ROLE_COLUMN_NAMES,
    TITLE_COLUMN_NAMES,
    normalize_column_name,
)
from alsatian.ingest.sources.source import Source

ROLES = (*ROLE_COLUMN_NAMES, "event", "weight")
_POSITIONAL_ROLES = ("user", "item", "value", "time")


def is_number_role(role: str) -> bool:
    """Return whether the cells of a role are numbers. The signals of a recipe have the roles signal0, signal1 ..."""
    return role in ("value", "weight") or role.startswith("signal")


def find_roles(source: Source, requested: Mapping[str, str | None]) -> dict[str, str]:
    """Return role -> column name.

    requested: role -> column name, "" to ignore the role, or None to recognize the column. The roles "user" and "item"
    are required, and so is "event" if it is requested.

    Raises ColumnError if a named column does not exist or is named for two roles. Also if a required role is not
    recognized, or if several columns match a role equally well.
    """
    assigned = {role: find_column(source, role, name) for role, name in requested.items() if name}
    for column in assigned.values():
        shared_roles = [role for role in assigned if assigned[role] == column and role != "title"]
        if len(shared_roles) > 1:
            raise ColumnError(
                f"column {column!r} cannot be both {shared_roles[0]}= and {shared_roles[1]}=; name two columns."
            )
    unassigned = [name for name in source.columns if name not in assigned.values()]
    open_roles = [role for role in ROLE_COLUMN_NAMES if requested.get(role) is None]
    open_roles += [role for role, name in requested.items() if role == "event" and name is None]
    if source.positional:
        by_position = (
            dict(zip(_POSITIONAL_ROLES, source.columns, strict=False))
            if len(source.columns) <= len(_POSITIONAL_ROLES)
            else {}
        )
        recognized = {role: by_position[role] for role in open_roles if by_position.get(role) in unassigned}
    else:
        recognized = {role: name for role in open_roles if (name := _recognize(source, role, unassigned)) is not None}
    assigned = recognized | assigned
    for role in ("user", "item", *(role for role in open_roles if role == "event")):
        if role not in assigned:
            raise ColumnError(_missing_role_message(source, role, unassigned))
    return {role: assigned[role] for role in ROLES if role in assigned}


def find_column(source: Source, role: str, name: str) -> str:
    """Return the column with this name, ignoring case; raises ColumnError if there is none."""
    matches = [column for column in source.columns if column.lower() == name.lower()]
    if name in source.columns:
        return name
    if len(matches) == 1:
        return matches[0]
    raise ColumnError(
        f"{source.name} has no column {name!r} for {role}=; its columns are {join_names(list(source.columns))}."
        f"{did_you_mean(name, list(source.columns))}"
    )


def find_title_column(source: Source, unassigned: Iterable[str]) -> str | None:
    """Return the title column of a table of items, or None."""
    unassigned = list(unassigned)
    title = _recognize(source, "title", unassigned)
    return title or next(
        (column for name in TITLE_COLUMN_NAMES for column in unassigned if normalize_column_name(column) == name), None
    )


def _recognize(source: Source, role: str, unassigned: list[str]) -> str | None:
    for group in _names_of_role(role):
        names = group.split()
        matches = [column for column in unassigned if normalize_column_name(column) in names]
        if len(matches) > 1:
            raise ColumnError(
                f"{source.name} has {len(matches)} columns that could be the {role}: {join_names(matches)}; "
                f"pass {role}={matches[0]!r} or {role}={matches[1]!r} (--{role})."
            )
        if matches:
            return matches[0]
    return None


def _names_of_role(role: str) -> tuple[str, ...]:
    return EVENT_COLUMN_NAMES if role == "event" else ROLE_COLUMN_NAMES[role]


def _missing_role_message(source: Source, role: str, unassigned: list[str]) -> str:
    names = {normalize_column_name(column): column for column in unassigned}
    suggestion = next(
        (hint for group in _names_of_role(role) for word in group.split() if (hint := did_you_mean(word, list(names)))),
        "",
    )
    guess = next((column for key, column in names.items() if repr(key) in suggestion), None)
    return (
        f"could not find the {role} column of {source.name}; "
        f"its columns are {join_names(list(source.columns))}. "
        + (f"Did you mean {role}={guess!r}? " if guess else "")
        + f"Pass {role}=COLUMN (--{role} COLUMN)."
    )
