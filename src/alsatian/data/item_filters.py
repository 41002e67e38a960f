"""A table of item attributes that answers `where` expressions: DuckDB, shut off from all else."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError, did_you_mean, join_names

# A visitor of a service may write the expression: no files, bounded memory and time, nothing to change.
_DUCKDB_CONFIG = {"enable_external_access": "false", "threads": "1", "memory_limit": "1GB", "temp_directory": ""}
_MAX_QUERY_SECONDS = 10.0
_MAX_CHARACTERS = 4_000  # characters; DuckDB's parser takes minutes over thousands of open brackets
_MAX_BRACKETS = 100
_UNINTERRUPTIBLE_FUNCTIONS = {
    "range",
    "generate_series",
    "repeat",
    "list_resize",
    "array_resize",
}  # an interrupt does not stop these
_WHERE_ADVICE = 'write a condition, such as "year >= 1990".'
_SQL_TYPES = {"b": "BOOLEAN", "i": "BIGINT", "f": "DOUBLE", "O": "VARCHAR"}


class AttributeTable:
    """Columns, by name, of one masked array each (of strings: an object array with None), held in DuckDB."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        import duckdb

        self._columns = list(columns)
        self._n_rows = len(next(iter(columns.values())))
        self._connection = duckdb.connect(":memory:", config=dict(_DUCKDB_CONFIG))
        column_definitions = ", ".join(
            f"{quote_identifier(name)} {_SQL_TYPES[array.dtype.kind]}" for name, array in columns.items()
        )
        self._connection.execute(f"CREATE TABLE items ({column_definitions})")
        self._connection.register("given", dict(columns))
        self._connection.execute("INSERT INTO items SELECT * FROM given")
        self._connection.unregister("given")
        self._connection.execute("SET lock_configuration = true")

    def evaluate(self, where: str) -> NDArray[np.bool_]:
        """Return, per row, whether the expression is true (not false, not unknown); raises ParameterError."""
        import duckdb

        if not isinstance(where, str):
            raise ParameterError(f"where={where!r} is not text; {_WHERE_ADVICE}")
        cursor = self._connection.cursor()
        timer = threading.Timer(_MAX_QUERY_SECONDS, cursor.interrupt)
        timer.start()
        try:
            _reject_unsafe(self._connection.cursor(), where)
            relation = cursor.table("items").select(duckdb.SQLExpression(where))  # one expression, or an error
            if (types := ", ".join(map(str, relation.types))) != "BOOLEAN":
                raise _invalid_where(where, f"gives {types} where each item needs true or false; {_WHERE_ADVICE}")
            (matches,) = relation.fetchnumpy().values()
        except duckdb.InterruptException:
            raise _invalid_where(where, f"took more than {_MAX_QUERY_SECONDS:g} seconds; make it simpler.") from None
        except (duckdb.Error, UnicodeError) as error:
            raise where_error(where, error, self._columns, "the catalog") from None
        finally:
            timer.cancel()
        if len(matches) != self._n_rows:
            raise _invalid_where(where, "does not give one answer per item; leave out aggregates and unnest.")
        return np.ma.filled(matches, False).astype(np.bool_)


def where_error(where: str, error: object, columns: Sequence[str], source_name: str) -> ParameterError:
    """Build the error for a condition over the columns of `owner` at which DuckDB stumbled."""
    if match := re.search(r'Referenced column "(.+?)" not found', str(error)):
        names = f"its columns are {join_names(columns)}.{did_you_mean(match[1], list(columns))}"
        return _invalid_where(where, f"uses {match[1]!r}, which is no column of {source_name}; {names}")
    reason = str(error).split("\n\n")[0].replace("\n", " ").split(": ", 1)[-1].rstrip(".! ")
    return _invalid_where(where, f"is not an expression that DuckDB understands: {reason}.")


def _reject_unsafe(cursor: Any, where: str) -> None:
    """Refuse what reaches beyond the row: a query, or a function that makes values without end."""
    if len(where) > _MAX_CHARACTERS or max(map(where.count, "([{")) > _MAX_BRACKETS:
        raise _invalid_where(
            where, f"is too long; use at most {_MAX_CHARACTERS:,} characters and {_MAX_BRACKETS} brackets."
        )
    where.encode()  # a lone surrogate is no text
    ((tree_json,),) = cursor.execute("SELECT json_serialize_sql('SELECT ' || ?)", [where]).fetchall()
    try:
        tree = json.loads(tree_json)
        nodes = list(_walk_nodes(tree))
    except RecursionError:
        raise _invalid_where(where, "is too deeply nested; make it simpler.") from None
    if tree["error"]:
        raise _invalid_where(where, f"is not an expression that DuckDB understands: {tree['error_message']}.")
    if any(node.get("class") == "SUBQUERY" for node in nodes):
        raise _invalid_where(where, "holds a query; give one expression over the columns of the items.")
    for name in _UNINTERRUPTIBLE_FUNCTIONS & {str(node.get("function_name")).lower() for node in nodes}:
        raise _invalid_where(where, f"calls {name}(), which is not allowed here; leave it out.")


def _invalid_where(where: str, reason: str) -> ParameterError:
    return ParameterError(f"where={where if len(where) <= 300 else where[:300] + '...'!r} {reason}")


def quote_identifier(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _walk_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Walk a parsed expression from the top down."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _walk_nodes(child)
