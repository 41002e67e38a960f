"""polars and pandas: a CSV file parsed, both id columns numbered in ascending order, three arrays made."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.peers.worker import Job, clock, peak, reset_peak, resident, serve


def by_polars(path: str) -> Any:
    import polars

    frame = polars.read_csv(path)
    numbered = (frame[name].rank("dense").cast(polars.Int32) - 1 for name in ("user", "item"))
    return *(column.to_numpy() for column in numbered), frame["value"].cast(polars.Float32).to_numpy()


def by_pandas(path: str) -> Any:
    import pandas

    frame = pandas.read_csv(path, dtype={"value": np.float32})
    numbered = (pandas.factorize(frame[name], sort=True)[0].astype(np.int32) for name in ("user", "item"))
    return *numbered, frame["value"].to_numpy()


def read(job: Job) -> dict[str, Any]:
    work = {"polars": by_polars, "pandas": by_pandas}[job["with"]]
    __import__(job["with"])
    reset_peak()
    before = resident()
    seconds, columns = clock(lambda: work(job["path"]))
    return {"seconds": seconds, "rows": len(columns[2]), "peak_bytes": peak() - before}


if __name__ == "__main__":
    serve({"read": read})
