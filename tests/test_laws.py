"""Every law (`laws.py`) holds for every model, in several settings of each (`cases.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from alsatian.data.interactions import Interactions
from alsatian.models import MODELS
from support.cases import CASES, Case
from support.laws import LAWS, Law


def test_every_model_is_tried() -> None:
    assert {case.model_class for case in CASES.values()} == set(MODELS.values())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_law(law: Law, case: Case, some_ratings: Interactions, some_cold_ratings: Interactions, tmp_path: Path) -> None:
    law(case, some_cold_ratings if case.has_cold_rows else some_ratings, tmp_path)
