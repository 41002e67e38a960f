"""Ctrl-C stops a fit at once and leaves nothing behind; threads do not outlive a fork.

No time is measured. What is interrupted would go on for longer than the test waits, so that it can only have ended
because it was stopped. And it is interrupted when it is there: a thread of the process looks where the main one is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

PATIENCE = 120  # seconds to wait for the end of what was interrupted

PRELUDE = """
import os, signal, sys, threading, time
import numpy as np
from alsatian import kernels
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.models import BayesianMF, ExplicitALS, ImplicitALS

def data(rows, users, items):
    rng = np.random.default_rng(0)
    u, i = (rng.integers(side, size=rows).astype(np.int32) for side in (users, items))
    ids = (IdMap(np.arange(users), "user"), IdMap(np.arange(items), "item"))
    key = np.unique(u.astype(np.int64) * items + i)
    u, i = (key // items).astype(np.int32), (key % items).astype(np.int32)
    return Interactions.build(*ids, u, i, np.ones(len(u), np.float32))

def announce_native_call():
    # Print "begin" as soon as the main thread has stayed in one native call for a while.
    main = threading.main_thread().ident
    def look():
        place, looks = None, 0
        while looks < 5:
            frame = sys._current_frames()[main]
            here = id(frame), frame.f_lasti
            place, looks = here, (looks + 1 if here == place else 0)
            time.sleep(0.01)
        print("begin", flush=True)
    threading.Thread(target=look, daemon=True).start()
"""


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupt(process: subprocess.Popen[str]) -> str:
    """Wait for the process to say that it begins, press Ctrl-C, and return what it wrote to standard error."""
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n", process.stderr and process.stderr.read()
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()


FITS = {
    "cholesky": "ExplicitALS(factors=1024, epochs=1000)",
    "bayesian": "BayesianMF(factors=64, draws=100)",
    "cg": "ImplicitALS(factors=128, epochs=10_000, solver='cg')",
    "one thread": "ImplicitALS(factors=256, epochs=1000)",
}


@pytest.mark.parametrize("name", FITS)
def test_a_fit_stops(name: str, tmp_path: Path) -> None:
    threads = 1 if name == "one thread" else 2
    fit = f"""
d = data(1_500_000, 20_000, 3_000)
announce_native_call()
{FITS[name]}.fit(d, threads={threads}, progress=True)
"""
    assert interrupt(start(fit, tmp_path)).rstrip().endswith("KeyboardInterrupt")
    assert list(tmp_path.iterdir()) == []


def test_the_model_can_be_used_after_a_broken_fit(tmp_path: Path) -> None:
    code = """
small, large = data(500, 50, 40), data(1_500_000, 20_000, 3_000)
model = ImplicitALS(factors=32, epochs=1000).fit(small, callbacks=[lambda epoch: epoch.epoch == 5])
before = model.user_factors.copy()
announce_native_call()
try:
    model.fit(large, threads=1)
except KeyboardInterrupt:
    assert np.array_equal(model.user_factors, before)
    model.fit(small, callbacks=[lambda epoch: epoch.epoch == 5])
    assert np.array_equal(model.user_factors, before)
    sys.exit("whole")
"""
    assert interrupt(start(code, tmp_path)).strip() == "whole"


@pytest.mark.parametrize("stage", ["starting", "reading", "fitting"])
def test_the_command_stops_and_leaves_no_file(tmp_path: Path, stage: str) -> None:
    import duckdb

    rows = "SELECT i % 20011 AS user, (i * 7919) % 3001 AS item, 1 + i % 5 AS rating FROM range(1500000) t(i)"
    duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/ratings.csv' (HEADER)")
    command = [Path(sys.executable).with_name("alsatian"), "train", "ratings.csv", "-o", "my.model"]
    settings = ["--model", "explicit-als", "--set", "factors=128", "--set", "epochs=1000"]
    process = subprocess.Popen(
        [*command, *settings], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        if stage == "reading":
            while not is_open(process, tmp_path / "ratings.csv"):
                assert process.poll() is None, process.communicate()
        elif stage == "fitting":
            while not (line := process.stdout.readline()).startswith("model"):
                assert line, process.communicate()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    if stage != "starting":  # then Python itself may be what is interrupted
        assert process.returncode == 130
        assert "Traceback" not in error
    assert process.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.csv"]


def is_open(process: subprocess.Popen[str], path: Path) -> bool:
    """Tell whether a process has a file open."""
    for link in Path(f"/proc/{process.pid}/fd").glob("*"):
        with suppress(OSError):  # it is closed by now
            if link.readlink() == path:
                return True
    return False


def test_sorting_stops(tmp_path: Path) -> None:
    """Every task has been dealt out when the signal comes: the exception must still be the right one."""
    code = """
keys = np.random.default_rng(0).integers(0, 1_000_000, 30_000_000).astype(np.int32)
announce_native_call()
while True:
    kernels.counting_sort(keys, 1_000_000, [keys, keys], 2)
"""
    assert interrupt(start(code, tmp_path)).rstrip().endswith("KeyboardInterrupt")


def test_a_signal_that_comes_in_the_last_tasks_is_a_keyboard_interrupt(tmp_path: Path) -> None:
    """Two tasks for two threads: nothing is left to cancel, and yet the user is told."""
    code = """
k, n, rows = 64, 60_000, 16
fixed = kernels.Side(np.random.default_rng(0).standard_normal((n, k)).astype(np.float32), None)
indices = np.tile(np.arange(n, dtype=np.int32), rows)
entries = kernels.Rows(np.arange(rows + 1) * n, indices, np.ones(rows * n, np.float32), None)
announce_native_call()
while True:
    solution, ridge = kernels.Side(np.zeros((rows, k), np.float32), None), np.ones(rows, np.float32)
    kernels.half_sweep(entries, kernels.Weighting(0, 1, 1, 0, 0), fixed, None, ridge, solution, threads=2)
"""
    assert interrupt(start(code, tmp_path)).rstrip().endswith("KeyboardInterrupt")


def test_a_fit_works_in_a_forked_child(tmp_path: Path) -> None:
    """Threads live for one call, so a child finds nothing of its parent's that could be held."""
    code = """
d = data(20_000, 500, 300)
parent = ImplicitALS(factors=16, epochs=3).fit(d, threads=4)
child = os.fork()
if child == 0:
    same = ImplicitALS(factors=16, epochs=3).fit(d, threads=4)
    os._exit(0 if np.array_equal(same.user_factors, parent.user_factors) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    process = start(code, tmp_path)
    output, error = process.communicate(timeout=PATIENCE)
    assert output.split() == ["0"], error
