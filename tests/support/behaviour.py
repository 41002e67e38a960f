"""What the library answers, as a snapshot: the bits of a fit of every case, lists, metrics, addresses, exit codes.

`python tests/support/behaviour.py` writes fixtures/behaviour.json anew. Bits depend on the instruction set
and on the linear algebra of the machine, so they are compared
only where the machine is of the kind that wrote them; the rest always.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from alsatian import evaluation, kernels, split
from alsatian.cli import run
from alsatian.persistence.save_load import save
from alsatian.serving import create_app
from support import problems
from support.cases import CASES, Case, arrays, plain_answers

FILE = Path(__file__).parents[1] / "fixtures" / "behaviour.json"
COMMANDS = {
    "version": ["--version"],
    "unknown command": ["nonsense"],
    "unknown option": ["recommend", "MODEL", "--nonsense"],
    "missing file": ["recommend", "nowhere.model", "--user", "alice"],
    "a list": ["recommend", "MODEL", "--user", "alice", "-n", "2"],
    "a visitor": ["recommend", "MODEL", "--like", "Iron Man", "--json"],
    "unknown user": ["recommend", "MODEL", "--user", "nobody"],
    "nobody": ["recommend", "MODEL"],
    "similar": ["similar", "MODEL", "Iron Man", "-n", "2"],
    "explain": ["explain", "MODEL", "--user", "alice", "Heat (1995)"],
    "missing source": ["train", "nowhere.csv", "-o", "x.model"],
}


def machine() -> str:
    """Return what the bits of a fit depend on."""
    return f"{kernels.instruction_set}, {platform.machine()}, numpy {np.__version__}, scipy {scipy.__version__}"


def snapshot() -> dict[str, Any]:
    """Return everything that a rearrangement of the code must leave as it is."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            "machine": machine(),
            "models": {name: answers(case) for name, case in CASES.items()},
            "metrics": metrics(),
            "addresses": endpoints(Path(folder)),
            "exit codes": exit_codes(Path(folder)),
        }


def answers(case: Case) -> dict[str, Any]:
    """Return the digest of what a case learns, and some of its lists."""
    data = problems.cold_ratings() if case.has_cold_rows else problems.random_ratings()
    model = case.fit(data)
    users = [0, 5, 17]
    lists = model.recommend(users, n=5)
    visitor = model.fold_in({3: 5, 4: 1, 8: 2}).recommend(5)
    entry = {
        "learned": digest(b"".join(bits for _, bits in arrays(model).items())),
        "lists": digest(repr(plain_answers(model.recommend(n=9))).encode()),
        "items": [lists[index].rows.tolist() for index in range(len(users))],
        "scores": round_values(lists.scores),
        "visitor": visitor.rows.tolist(),
    }
    if "similar" in case.answers:
        entry["similar"] = model.similar(3, n=5).rows.tolist()
    if "predict" in case.answers:
        entry["predicted"] = round_values(model.predict(3, [5, 6, 7]))
    if "explain" in case.answers:
        explanation = model.explain(1, 5)
        entry["explained"] = round_values(
            [explanation.base, *(reason.contribution for reason in explanation.reasons[:3])]
        )
    return entry


def metrics() -> dict[str, list[float]]:
    """Return every measure of two models on a fixed split."""
    fixed_split = split.per_user(problems.random_ratings(), n=2, seed=0)
    names = ["rmse", "mae", "ndcg", "map", "mrr", "recall", "precision", "hit_rate", "auc", "coverage", "novelty"]
    table = evaluation.evaluate(
        [CASES["explicit"].fit(fixed_split.train), CASES["item-knn"].fit(fixed_split.train)],
        fixed_split,
        metrics=names,
        bootstrap=0,
    )
    return {
        f"{index} {name}": round_values(value) for index, row in enumerate(table) for name, value in row.metrics.items()
    }


def endpoints(folder: Path) -> list[str]:
    """Return the addresses of the service with their methods."""
    save(
        CASES["explicit"].model_class(factors=2, epochs=2).fit(problems.running_example(), progress=False),
        folder / "a.model",
    )
    paths = create_app(folder / "a.model").openapi()["paths"]
    return sorted(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)


def exit_codes(folder: Path) -> dict[str, int]:
    return {
        name: run([str(folder / "a.model") if word == "MODEL" else word for word in words])
        for name, words in COMMANDS.items()
    }


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def round_values(values: Any) -> Any:
    """Return numbers as JSON holds them, to six digits."""
    if np.ndim(values):
        return [round_values(value) for value in values]
    return float(f"{float(values):.6g}")


if __name__ == "__main__":
    FILE.write_text(json.dumps(snapshot(), indent=1) + "\n")
