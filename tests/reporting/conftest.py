"""A report of a small world whose titles are no good markup, made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alsatian.data.catalog import Catalog
from alsatian.data.interactions import Interactions
from alsatian.posters import Posters
from alsatian.reporting import Report
from alsatian.reporting.builder import ReportOptions, build_report
from alsatian.split import holdout
from alsatian.tuning import Study, tune
from support import problems
from support.browser import SCRIPT_TITLE

MODELS = ["explicit-als:factors=4", "implicit-als:factors=4", "item-knn"]


@pytest.fixture(scope="session")
def films() -> Interactions:
    """Random ratings whose films have titles that would like to be markup."""
    data = problems.random_ratings(density=0.4)
    ids = data.item_ids.tolist()
    titles = [f'{SCRIPT_TITLE} {"a long title " * (item % 3)}& "{item}" ({1990 + item % 20})' for item in ids]
    return replace(data, catalog=Catalog.from_columns(data.item_ids, ids, {"title": titles}))


@pytest.fixture(scope="session")
def search(films: Interactions) -> Study:
    """A search on what the report's models learn from."""
    train = holdout.split_per_user(films, 10).train
    space = {"factors": (2, 8), "reg": (0.1, 10.0), "epochs": (1, 4)}
    return tune("explicit-als", train, trials=6, space=space, split="random:0.2", prune=False)


@pytest.fixture(scope="session")
def written_report(films: Interactions, search: Study, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """The report, and the file that it was written into."""
    folder = tmp_path_factory.mktemp("report")
    options = ReportOptions(
        bootstrap=50,
        study=search,
        posters=Posters("", folder=folder),
        title=f"{SCRIPT_TITLE} of films",
        command="alsatian report 'a <b>.csv'",
    )
    page = build_report(MODELS, films, options)
    page.save(folder / "report.html")
    return page, folder / "report.html"
