"""The data of the bench, each set a folder of NumPy columns under .bench/data: users, items, values, sorted by user.

Synthetic sets come from ../shared/bench/shapes.py where that is present, else from synthetic.py, which has the same
shape; the source is recorded with the results. Rows are numbered without gaps: every user and item has a value.
"""

from __future__ import annotations

import importlib.util
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from bench import synthetic

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".bench"
SHARED = ROOT.parent / "shared"


def source() -> str:
    """Say where synthetic data comes from."""
    return "../shared/bench/shapes.py" if _shapes().exists() else "bench/synthetic.py"


def synthetic_folder(name: str) -> Path:
    """Return the folder of a synthetic set, which is generated on first use."""
    folder = CACHE / "data" / f"{name}-{Path(source()).stem}"
    if not (folder / "values.npy").exists():
        shape = synthetic.SHAPES[name]
        shared = _shapes().exists() and name != "tiny"
        save(folder, *(_load(_shapes()) if shared else synthetic).generate(shape))
    return folder


def save(folder: Path, users: Any, items: Any, values: Any) -> tuple[Any, Any]:
    """Write a set, its rows numbered without gaps; return the original numbers of its users and items."""
    folder.mkdir(parents=True, exist_ok=True)
    kept_users, users = np.unique(users, return_inverse=True)
    kept_items, items = np.unique(items, return_inverse=True)
    np.save(folder / "users.npy", users.astype(np.int32))
    np.save(folder / "items.npy", items.astype(np.int32))
    np.save(folder / "values.npy", np.asarray(values, np.float32))
    return kept_users, kept_items


def csv(name: str) -> Path:
    """Return a synthetic set as a CSV file with ids and a header, which is written on first use."""
    import duckdb

    folder = synthetic_folder(name)
    target = folder / "ratings.csv"
    if not target.exists():
        columns = {column: np.load(folder / f"{column}s.npy") for column in ("user", "item", "value")}
        columns["user"], columns["item"] = columns["user"] + 1, 3 * columns["item"] + 1  # ids, as files have them
        con = duckdb.connect()
        con.execute("SET threads = 2")
        unfinished = target.with_suffix(".part")
        con.execute(f"COPY (SELECT * FROM columns) TO '{unfinished}' (FORMAT csv, HEADER)")
        unfinished.rename(target)
    return target


def movielens() -> Path | None:
    """Return the unpacked folder of MovieLens 100K, or None where the shared data is absent."""
    folder = SHARED / "data"
    return unpacked(folder, "ml-100k") if (folder / "ml-100k.tar.gz").exists() else None


def unpacked(folder: Path, name: str) -> Path:
    """Return the folder that folder/NAME.tar.gz holds, unpacked on first use."""
    target = CACHE / "data" / name
    with tarfile.open(folder / f"{name}.tar.gz") as archive:
        if not target.exists():
            archive.extractall(target.parent, filter="data")
    return target


def _shapes() -> Path:
    return SHARED / "bench" / "shapes.py"


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("shapes", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
