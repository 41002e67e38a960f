"""The page of a report, section by section, from what was judged and fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.progress_bar import Step
from alsatian._version import __version__
from alsatian.data.interactions import Interactions
from alsatian.errors import counted
from alsatian.evaluation import Evaluation
from alsatian.evaluation.learning_curves import Fit
from alsatian.evaluation.metric_registry import title_of
from alsatian.models.ensemble.base import Combined
from alsatian.posters import Posters
from alsatian.recommender.resolve import are_known
from alsatian.recommender.topn import either
from alsatian.reporting import (
    charts,
    data_section,
    model_tables,
    popularity_bias,
    reproduction,
    sample_lists,
    tuning_section,
)
from alsatian.reporting.charts import HIGH, WIDE, Drawing
from alsatian.reporting.fitted_models import Entry, curves_of
from alsatian.reporting.sample_lists import Shelf
from alsatian.split import Split
from alsatian.tuning.study import Study
from alsatian.visual import html
from alsatian.visual.plots import AXIS, COLORS, TICKS, panels
from alsatian.visual.svg import VARIABLES


@dataclass(frozen=True, eq=False)
class Material:
    """What a page is made of.

    splits: what is judged on; of the first one are curves, lists and the eye test; liked: its likes. shown: rows of the
    users and of the items of the eye test. n: how long the lists of the section on popularity are.
    """

    data: Interactions
    splits: Sequence[Split]
    liked: Split
    likes: float | None
    found: Evaluation
    entries: Sequence[Entry]
    study: Study | None
    shown: tuple[NDArray[np.int32], list[int]]
    posters: Posters
    n: int
    title: str
    command: str | None
    seed: int
    threads: int

    @property
    def first(self) -> Split:
        return self.splits[0]

    @cached_property
    def colors(self) -> dict[str, str]:
        """The colour of each model, in all pictures; those that nobody asked for are grey."""
        bright, grey = COLORS[:-1], {"popularity": TICKS}
        return {
            entry.label: bright[at % len(bright)] if entry.asked else grey.get(entry.model.name, AXIS)
            for at, entry in enumerate(self.entries)
        }

    @property
    def listing(self) -> list[Entry]:
        """The models whose lists are looked at: those that were asked for, and popularity as the contrast."""
        return [entry for entry in self.entries if entry.asked or entry.model.name == "popularity"]


def compose(material: Material, step: Step) -> str:
    """Return the page."""
    step("learning curves")
    curves = _curves(material)
    step("eye test")
    shelf = Shelf(material.first.train, material.posters)
    facts = data_section.overview(material.data)
    judged = model_tables.tables(material.found)
    return html.render(
        "report.html", title=material.title, version=__version__, made=datetime.now(UTC).date().isoformat(),
        data=facts, data_pictures=_shown("data", data_section.pictures(material.data, facts)),
        splits=_splits(material), notes=material.found.notes, tables=judged, bootstrap=material.found.bootstrap,
        table_pictures=_shown("table", _intervals(material)), colors=_variables(material), curves=curves,
        study=None if material.study is None else _search(material.study, material),
        popularity=_popularity(material), eye=_eye(material, shelf), posters=shelf.uris, notice=shelf.notice,
        again=_again(material),
    )  # fmt: skip


def _shown(name: str, drawn: Sequence[Drawing]) -> list[dict[str, Any]]:
    return [drawing.shown(f"{name}-{at}") for at, drawing in enumerate(drawn)]


def _variables(material: Material) -> dict[str, str]:
    """Return the variable of the page for each model's colour."""
    return {label: VARIABLES[color.lower()] for label, color in material.colors.items()}


def _splits(material: Material) -> list[dict[str, Any]]:
    """Return what each protocol parted; sizes are of the first one."""
    parts = {name: getattr(material.first, name) for name in ("train", "fold_in", "held_out")}
    sizes = {name.replace("_", "-"): counted(len(part), "value") for name, part in parts.items() if part is not None}
    return [
        {"summary": one, "sizes": sizes if one.split == material.first.name and one.folds == 1 else {}}
        for one in material.found.splits
    ]


def _intervals(material: Material) -> list[Drawing]:
    """Draw the main measures on each protocol, where there are models to compare."""
    found, several = material.found, len(material.found.splits) > 1
    drawn = []
    for one in found.splits:
        for name in model_tables.main_measures(found):
            if sum(name in row.metrics for row in found if row.split == one.split) < 2:
                continue
            drawing = charts.intervals(found, one.split, name, material.colors)
            drawn.append(drawing._replace(title=f"{drawing.title} on {one.split}") if several else drawing)
    return drawn


def _curves(material: Material) -> list[dict[str, Any]]:
    """Draw the learning curves of the models that were asked for and go by epochs, by what they are judged by.

    Combinations have none: their epochs are those of several fits.
    """
    drawn = []
    for predicts in (True, False):
        models = {
            entry.label: entry.model
            for entry in material.entries
            if entry.asked
            and entry.model.iterates
            and not isinstance(entry.model, Combined)
            and entry.model.predicts == predicts
        }
        curves = curves_of(models, material.first, material.likes, material.seed, material.threads)
        if curves is None or not any(fit.rows for fit in curves.fits):
            continue
        colors = [material.colors[label] for label in models]
        pictures = panels(_relative(curves.fits), colors, curves.columns(held_out=True), WIDE, HIGH)
        shown = [Drawing(title, figure) for title, figure in pictures]
        if len(models) > 1:
            shown[0] = shown[0]._replace(title="Objective, in multiples of that in the end")
        drawn.append({"models": list(models), "pictures": _shown(f"curves-{predicts:d}", shown)})
    return drawn


def _relative(fits: Sequence[Fit]) -> list[list[dict[str, float]]]:
    """Return the rows of fits; the objectives of several, which are sums of different things, beside their ends."""
    if len(fits) == 1:
        return [fits[0].rows]
    ends = [abs(fit.rows[-1]["objective"]) or 1.0 if fit.rows else 1.0 for fit in fits]
    return [
        [row | {"objective": row["objective"] / end} for row in fit.rows] for fit, end in zip(fits, ends, strict=True)
    ]


def _search(study: Study, material: Material) -> dict[str, Any]:
    """Return a search in facts and pictures, and whether it saw nothing of what is held out here, on any split."""
    trains = [one.train for one in material.splits]
    clean = all(
        study.data.digest in (one.digest, (one if material.likes is None else one.likes(material.likes)).digest)
        for one in trains
    )
    return tuning_section.facts(study) | {"clean": clean, "pictures": _shown("search", tuning_section.drawings(study))}


def _popularity(material: Material) -> dict[str, Any]:
    """Return what is recommended beside what is consumed, by popularity of items."""
    train, held = material.liked.train, material.liked.held_out  # as the table of models counts
    users = np.flatnonzero(held.by_user.counts).astype(np.int32)
    n = min(material.n, len(train.item_ids))
    lists = {entry.label: entry.lists(users, n, material.threads) for entry in material.listing}
    groups = popularity_bias.groups(train.item_counts)
    lines = {label: groups.shares(best[best >= 0]) for label, best in lists.items()}
    people = int((train.by_user.counts > 0).sum())
    placed = either(entry.model.placed_items for entry in material.listing)
    known = are_known(held.items, train.item_counts, placed)  # others no model could recommend but by chance
    consumed = held.items[known]
    drawing = charts.by_popularity(
        groups.sizes, {popularity_bias.CONSUMED: groups.shares(consumed)} | lines, material.colors
    )
    rows = popularity_bias.table(lists, train.item_counts, people)
    own = popularity_bias.table({popularity_bias.CONSUMED: consumed[None, :]}, train.item_counts, people)
    columns = ["popularity", "novelty", "coverage", "gini"]
    return {
        "n": n, "rows": {"what was held out": own[popularity_bias.CONSUMED]} | rows, "pictures": _shown("bias", [drawing]),
        "columns": [(name, title_of(name)) for name in columns], "models": list(lists), "unknown": 1 - known.mean(),
        **popularity_bias.rest(groups.sizes),
    }  # fmt: skip


def _eye(material: Material, shelf: Shelf) -> dict[str, Any]:
    users, items = material.shown
    entries, threads = material.listing, material.threads
    people = sample_lists.people(entries, material.first, material.liked, users, shelf, threads) if len(users) else []
    return {"people": people, "items": sample_lists.alike(entries, items, shelf, threads)}


def _again(material: Material) -> dict[str, Any]:
    found = material.found
    return {
        "command": material.command,
        "call": reproduction.call(material.entries, found, material.likes, material.seed),
        "facts": reproduction.facts(material.data, material.first, found, material.seed, material.threads),
        "rules": reproduction.rules(material.data),
        "settings": reproduction.settings(material.entries),
    }
