"""A table of item attributes that answers `where` expressions: DuckDB, shut off from all else."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError, listed, nearest

# A visitor of a service may write the expression: no files, bounded memory and time, nothing to change.
_CONFIG = {"enable_external_access": "false", "threads": "1", "memory_limit": "1GB", "temp_directory": ""}
_SECONDS = 10.0
_LONGEST = 4_000  # characters; DuckDB's parser takes minutes over thousands of open brackets
_DEEPEST = 100
_ENDLESS = {
    "range",
    "generate_series",
    "repeat",
    "list_resize",
    "array_resize",
}  # an interrupt does not stop these
_STEP = 'write a condition, such as "year >= 1990".'
_TYPES = {"b": "BOOLEAN", "i": "BIGINT", "f": "DOUBLE", "O": "VARCHAR"}


class Table:
    """Columns, by name, of one masked array each (of strings: an object array with None), held in DuckDB."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        import duckdb

        self._columns = list(columns)
        self._rows = len(next(iter(columns.values())))
        self._connection = duckdb.connect(":memory:", config=dict(_CONFIG))
        typed = ", ".join(f"{identifier(name)} {_TYPES[array.dtype.kind]}" for name, array in columns.items())
        self._connection.execute(f"CREATE TABLE items ({typed})")
        self._connection.register("given", dict(columns))
        self._connection.execute("INSERT INTO items SELECT * FROM given")
        self._connection.unregister("given")
        self._connection.execute("SET lock_configuration = true")

    def matching(self, where: str) -> NDArray[np.bool_]:
        """Return, per row, whether the expression is true (not false, not unknown); raises ParameterError."""
        import duckdb

        if not isinstance(where, str):
            raise ParameterError(f"where={where!r} is not text; {_STEP}")
        cursor = self._connection.cursor()
        clock = threading.Timer(_SECONDS, cursor.interrupt)
        clock.start()
        try:
            _refuse_foreign(self._connection.cursor(), where)
            answer = cursor.table("items").select(duckdb.SQLExpression(where))  # one expression, or an error
            if (kinds := ", ".join(map(str, answer.types))) != "BOOLEAN":
                raise _refusal(where, f"gives {kinds} where each item needs true or false; {_STEP}")
            (found,) = answer.fetchnumpy().values()
        except duckdb.InterruptException:
            raise _refusal(where, f"took more than {_SECONDS:g} seconds; make it simpler.") from None
        except (duckdb.Error, UnicodeError) as error:
            raise complaint(where, error, self._columns, "the catalog") from None
        finally:
            clock.cancel()
        if len(found) != self._rows:
            raise _refusal(where, "does not give one answer per item; leave out aggregates and unnest.")
        return np.ma.filled(found, False).astype(np.bool_)


def complaint(where: str, error: object, columns: Sequence[str], owner: str) -> ParameterError:
    """Build the error for a condition over the columns of `owner` at which DuckDB stumbled."""
    if unknown := re.search(r'Referenced column "(.+?)" not found', str(error)):
        names = f"its columns are {listed(columns)}.{nearest(unknown[1], list(columns))}"
        return _refusal(where, f"uses {unknown[1]!r}, which is no column of {owner}; {names}")
    reason = str(error).split("\n\n")[0].replace("\n", " ").split(": ", 1)[-1].rstrip(".! ")
    return _refusal(where, f"is not an expression that DuckDB understands: {reason}.")


def _refuse_foreign(cursor: Any, where: str) -> None:
    """Refuse what reaches beyond the row: a query, or a function that makes values without end."""
    if len(where) > _LONGEST or max(map(where.count, "([{")) > _DEEPEST:
        raise _refusal(where, f"is too long; use at most {_LONGEST:,} characters and {_DEEPEST} brackets.")
    where.encode()  # a lone surrogate is no text
    ((parsed,),) = cursor.execute("SELECT json_serialize_sql('SELECT ' || ?)", [where]).fetchall()
    try:
        tree = json.loads(parsed)
        nodes = list(_nodes(tree))
    except RecursionError:
        raise _refusal(where, "is too deeply nested; make it simpler.") from None
    if tree["error"]:
        raise _refusal(where, f"is not an expression that DuckDB understands: {tree['error_message']}.")
    if any(node.get("class") == "SUBQUERY" for node in nodes):
        raise _refusal(where, "holds a query; give one expression over the columns of the items.")
    for name in _ENDLESS & {str(node.get("function_name")).lower() for node in nodes}:
        raise _refusal(where, f"calls {name}(), which is not allowed here; leave it out.")


def _refusal(where: str, reason: str) -> ParameterError:
    return ParameterError(f"where={where if len(where) <= 300 else where[:300] + '...'!r} {reason}")


def identifier(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Walk a parsed expression from the top down."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(child)
