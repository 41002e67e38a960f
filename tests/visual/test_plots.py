"""The README's figures are those that bench/ measured last: nobody has to remember to change both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
MODEL = re.compile(r"^\| (\w+\([^)]*\))[^|]* \| \**([\d.]+)\** \|$", re.MULTILINE)
SPEEDS = re.compile(r"^\| (\d+) \| \*\*(\d+)\*\* \| (\d+) \|$", re.MULTILINE)


def results(part: str) -> dict[str, Any]:
    return json.loads((ROOT / "bench" / "results" / f"{part}.json").read_text())


@pytest.mark.parametrize(("model", "told"), MODEL.findall(README))
def test_the_accuracy_in_the_readme_is_the_measured_one(model: str, told: str) -> None:
    learns = {"rmse" in row: row for row in results("accuracy")["rows"] if row["label"] == f"Alsatian {model}"}
    predicts = "RMSE" in README[: README.index(f"| {model}")].rpartition("\n|---|---|\n")[0].splitlines()[-1]
    row = learns[predicts]
    assert told == f"{row['rmse' if predicts else 'ndcg']:.3f}"


def test_the_readme_has_figures_to_check() -> None:
    assert len(MODEL.findall(README)) >= 10
    assert len(SPEEDS.findall(README)) == 3


@pytest.mark.parametrize(("factors", "seconds", "peer"), SPEEDS.findall(README))
def test_the_speed_in_the_readme_is_the_measured_one(factors: str, seconds: str, peer: str) -> None:
    tables = results("solvers")["results"]["tables"]
    (table,) = (table for table in tables if table["form"] == "implicit" and table["factors"] == int(factors))
    reached = {row["label"]: row["seconds"]["median"] for row in table["rows"] if row.get("reached")}
    peers = [median for label, median in reached.items() if not label.startswith("Alsatian")]
    assert seconds == f"{reached['Alsatian, default']:.0f}"
    assert peer == f"{min(peers):.0f}"
