"""The README's figures are those that bench/ measured last: nobody has to remember to change both."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
SPEEDS = re.findall(r"^\|.* (\d+) factors \| \*\*(\d+)\*\* \| (\d+) \((\w+)\) \|$", README, re.MULTILINE)
ACCURACIES = re.findall(
    r"^\| (RMSE|NDCG@10) [^|]*, (defaults|searched)[^|]* \| \*\*([\d.]+)\*\* `([^`]+)` \| ([\d.]+) \((\w+)\) \|$",
    README,
    re.MULTILINE,
)


def test_the_readme_has_figures_to_check() -> None:
    assert len(SPEEDS) == 3
    assert len(ACCURACIES) == 3


@pytest.mark.parametrize(("factors", "seconds", "peer_seconds", "peer"), SPEEDS)
def test_the_speed_in_the_readme_is_the_measured_one(factors: str, seconds: str, peer_seconds: str, peer: str) -> None:
    tables = json.loads((ROOT / "bench" / "results" / "solvers.json").read_text())["results"]["tables"]
    (table,) = (table for table in tables if table["form"] == "implicit" and table["factors"] == int(factors))
    reached = {row["label"]: row["seconds"]["median"] for row in table["rows"] if row.get("reached")}
    peers = {label: median for label, median in reached.items() if not label.startswith("Alsatian")}
    best = min(peers, key=peers.__getitem__)
    assert seconds == f"{reached['Alsatian, default']:.0f}"
    assert (peer_seconds, peer) == (f"{peers[best]:.0f}", best.split(",")[0])


@pytest.mark.parametrize(("metric", "settings", "value", "model", "peer_value", "peer"), ACCURACIES)
def test_the_accuracy_in_the_readme_is_that_of_the_page(
    metric: str, settings: str, value: str, model: str, peer_value: str, peer: str
) -> None:
    lines = (ROOT / "docs" / "accuracy.md").read_text().splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    column = table[0].index(metric)
    rows = [row for row in table[2:] if row[2] == settings and row[column] != "-"]
    ours = {row[1]: row[column] for row in rows if row[0] == "Alsatian"}
    peers = [(float(row[column]), row[0]) for row in rows if row[0] != "Alsatian"]
    nearest, library = min(peers) if metric == "RMSE" else max(peers)
    assert value == ours[f"`{model}`"]
    assert (peer_value, peer) == (f"{nearest:.3f}", library)
