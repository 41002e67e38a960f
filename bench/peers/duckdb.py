"""DuckDB alone, the version that Alsatian reads with: parse the CSV, number both id columns in order, fetch arrays."""

from __future__ import annotations

from typing import Any

import duckdb

from bench.peers.worker import Job, clock, peak, reset_peak, resident, serve

PARSE = "CREATE TEMP TABLE events AS SELECT * FROM read_csv(?)"
NUMBER = """CREATE TEMP TABLE {0}s AS
    SELECT id, (row_number() OVER (ORDER BY id) - 1)::INTEGER AS row FROM (SELECT DISTINCT "{0}" AS id FROM events)"""
FETCH = """SELECT users.row AS users, items.row AS items, value::FLOAT AS value FROM events
    JOIN users ON users.id = "user" JOIN items ON items.id = item"""


def read(job: Job) -> dict[str, Any]:
    con = duckdb.connect(config={"threads": job["threads"]})
    reset_peak()
    before = resident()
    parsed, _ = clock(lambda: con.execute(PARSE, [job["path"]]))

    def number() -> Any:
        for column in ("user", "item"):
            con.execute(NUMBER.format(column))
        return con.execute(FETCH).fetchnumpy()

    numbered, columns = clock(number)
    rows = len(columns["value"])
    return {"seconds": parsed + numbered, "parse": parsed, "rows": rows, "peak_bytes": peak() - before}


if __name__ == "__main__":
    serve({"read": read})
