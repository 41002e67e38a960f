"""What workers do for the table of accuracy: fit a model of their library, then predict values or list the best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from objective import Data
from peers.common import Job, clock, load


class Entrant(Protocol):
    """A model of a library, made from the job, its settings and the data, which it brings into the library's form."""

    def fit(self) -> Any:
        """Learn; this is what is timed."""

    def predict(self, users: Any, items: Any) -> Any:
        """Return the predicted values of pairs, NaN for none; numbers beyond those of the data are unknown."""

    def best(self, n: int) -> Any:
        """Return the n best unseen items of every user (users, n), -1 past the end."""


def judge(job: Job, make: Callable[[Job, dict[str, Any], Data], Entrant]) -> dict[str, Any]:
    """Answer with each of the job's settings what it asks for, in DATA/answers.npy; return the seconds of the fits."""
    data, folder = load(job), Path(job["data"])
    seconds, answers = [], []
    for settings in job["settings"]:
        entrant = make(job, settings, data)
        seconds.append(clock(entrant.fit)[0])
        if job["asks"] == "lists":
            answers.append(entrant.best(job["n"]))
        else:
            answers.append(entrant.predict(np.load(folder / "asked_users.npy"), np.load(folder / "asked_items.npy")))
    np.save(folder / "answers.npy", np.stack(answers))
    return {"seconds": seconds}


def listed(scores: Any, data: Data, n: int) -> Any:
    """Return the n best items of every user by scores (users, items), what was seen left out."""
    scores = np.array(scores, np.float64)
    scores[data.users, data.items] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    return np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, -1)
