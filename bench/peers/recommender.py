"""The job of the accuracy suite: fit a model of a library, then predict held-out values or list the best items."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.objective import Data
from bench.peers.worker import Job, clock, load


class Adapter(Protocol):
    """A model of a library, from the job, its settings and the data, which it converts to the library's form."""

    def fit(self) -> Any:
        """Learn; this is what is timed."""

    def predict(self, users: Any, items: Any) -> Any:
        """Return the predicted values of pairs, NaN for none; numbers beyond those of the data are unknown."""

    def best(self, n: int) -> Any:
        """Return the n best unseen items of every user (users, n), -1 past the end."""


def answer(job: Job, make: Callable[[Job, dict[str, Any], Data], Adapter]) -> dict[str, Any]:
    """Fit with each of the job's settings and write predictions or lists to answers.npy; return the seconds."""
    data, folder = load(job), Path(job["data"])
    seconds, answers = [], []
    for settings in job["settings"]:
        adapter = make(job, settings, data)
        seconds.append(clock(adapter.fit)[0])
        if job["output"] == "lists":
            answers.append(adapter.best(job["n"]))
        else:
            answers.append(
                adapter.predict(np.load(folder / "held_out_users.npy"), np.load(folder / "held_out_items.npy"))
            )
    np.save(folder / "answers.npy", np.stack(answers))
    return {"seconds": seconds}


def best_unseen(scores: Any, data: Data, n: int) -> Any:
    """Return the n best items of every user by scores (users, items), without the items seen."""
    scores = np.array(scores, np.float64)
    scores[data.users, data.items] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    return np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, -1)
