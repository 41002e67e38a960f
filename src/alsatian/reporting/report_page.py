"""The page of a report, section by section, from the evaluation and the fitted models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.progress_bar import StepCallback
from alsatian._version import __version__
from alsatian.data.interactions import Interactions
from alsatian.errors import pluralize
from alsatian.evaluation import Evaluation
from alsatian.evaluation.learning_curves import FitHistory
from alsatian.evaluation.metric_registry import metric_title
from alsatian.models.ensemble.base import EnsembleModel
from alsatian.posters import Posters
from alsatian.recommender.resolve import can_score
from alsatian.recommender.topn import any_mask
from alsatian.reporting import (
    charts,
    data_section,
    model_tables,
    popularity_bias,
    reproduction,
    sample_lists,
    tuning_section,
)
from alsatian.reporting.charts import HEIGHT_INCHES, WIDE_INCHES, Chart
from alsatian.reporting.fitted_models import FittedModel, fit_learning_curves
from alsatian.reporting.sample_lists import CardFactory
from alsatian.split import Split
from alsatian.tuning.study import Study
from alsatian.visual import html
from alsatian.visual.plots import AXIS, COLORS, TICKS, panel_figures
from alsatian.visual.svg import CSS_VARIABLES


@dataclass(frozen=True, eq=False)
class ReportData:
    """The contents of a page.

    splits: all splits of the evaluation; curves and sample lists are those of the first one. ranking_split: the first
    split, its ratings binarized if min_rating is given. sample_rows: rows of the users and of the items whose lists are
    shown. list_length: the length of the lists of the section on popularity.
    """

    data: Interactions
    splits: Sequence[Split]
    ranking_split: Split
    min_rating: float | None
    evaluation: Evaluation
    fitted_models: Sequence[FittedModel]
    study: Study | None
    sample_rows: tuple[NDArray[np.int32], list[int]]
    posters: Posters
    list_length: int
    title: str
    command: str | None
    seed: int
    threads: int

    @property
    def first_split(self) -> Split:
        """The split of the curves and the sample lists."""
        return self.splits[0]

    @cached_property
    def colors(self) -> dict[str, str]:
        """The color of each model in all charts; models that were not requested are grey."""
        palette, reference_colors = COLORS[:-1], {"popularity": TICKS}
        return {
            entry.label: palette[index % len(palette)]
            if entry.is_requested
            else reference_colors.get(entry.model.name, AXIS)
            for index, entry in enumerate(self.fitted_models)
        }

    @property
    def listed_models(self) -> list[FittedModel]:
        """The models whose lists are shown: the requested ones, and popularity for comparison."""
        return [entry for entry in self.fitted_models if entry.is_requested or entry.model.name == "popularity"]


def render_report(content: ReportData, step: StepCallback) -> str:
    """Return the page."""
    step("learning curves")
    curves = _curve_contexts(content)
    step("sample lists")
    card_factory = CardFactory(content.first_split.train, content.posters)
    data_facts = data_section.data_overview(content.data)
    table_contexts = model_tables.tables_by_protocol(content.evaluation)
    return html.render_template(
        "report.html", title=content.title, version=__version__, date=datetime.now(UTC).date().isoformat(),
        data=data_facts, data_pictures=_figure_contexts("data", data_section.data_charts(content.data, data_facts)),
        splits=_split_contexts(content), notes=content.evaluation.notes, tables=table_contexts,
        bootstrap=content.evaluation.bootstrap, curves=curves, colors=_css_variables(content),
        table_pictures=_figure_contexts("table", _interval_charts(content)),
        study=None if content.study is None else _study_context(content.study, content),
        popularity=_popularity_context(content), samples=_sample_lists_context(content, card_factory),
        posters=card_factory.uris, notice=card_factory.notice,
        reproduction=_reproduction_context(content),
    )  # fmt: skip


def _figure_contexts(name: str, figures: Sequence[Chart]) -> list[dict[str, Any]]:
    return [drawing.to_context(f"{name}-{index}") for index, drawing in enumerate(figures)]


def _css_variables(content: ReportData) -> dict[str, str]:
    """Return the CSS variable of each model's color."""
    return {label: CSS_VARIABLES[color.lower()] for label, color in content.colors.items()}


def _split_contexts(content: ReportData) -> list[dict[str, Any]]:
    """Return each protocol; with the sizes of its parts if it is the first one and has one fold."""
    parts = {name: getattr(content.first_split, name) for name in ("train", "fold_in", "held_out")}
    sizes = {name.replace("_", "-"): pluralize(len(part), "value") for name, part in parts.items() if part is not None}
    return [
        {
            "summary": summary,
            "sizes": sizes if summary.split == content.first_split.name and summary.folds == 1 else {},
        }
        for summary in content.evaluation.splits
    ]


def _interval_charts(content: ReportData) -> list[Chart]:
    """Draw the main metrics on each protocol with at least two models."""
    evaluation, many_splits = content.evaluation, len(content.evaluation.splits) > 1
    figures = []
    for summary in evaluation.splits:
        for name in model_tables.main_metrics(evaluation):
            if sum(name in row.metrics for row in evaluation if row.split == summary.split) < 2:
                continue
            drawing = charts.draw_intervals(evaluation, summary.split, name, content.colors)
            figures.append(drawing._replace(title=f"{drawing.title} on {summary.split}") if many_splits else drawing)
    return figures


def _curve_contexts(content: ReportData) -> list[dict[str, Any]]:
    """Draw the learning curves of requested models with epochs, grouped by whether they predict ratings.

    Ensembles have none, because their epochs are those of several fits.
    """
    contexts = []
    for predicts in (True, False):
        models = {
            entry.label: entry.model
            for entry in content.fitted_models
            if entry.is_requested
            and entry.model.iterates
            and not isinstance(entry.model, EnsembleModel)
            and entry.model.predicts_ratings == predicts
        }
        curves = fit_learning_curves(models, content.first_split, content.min_rating, content.seed, content.threads)
        if curves is None or not any(fit.rows for fit in curves.fits):
            continue
        colors = [content.colors[label] for label in models]
        pictures = panel_figures(
            _relative_objectives(curves.fits), colors, curves.columns(held_out=True), WIDE_INCHES, HEIGHT_INCHES
        )
        figures = [Chart(title, figure) for title, figure in pictures]
        if len(models) > 1:
            figures[0] = figures[0]._replace(title="Objective, relative to its final value")
        contexts.append({"models": list(models), "pictures": _figure_contexts(f"curves-{predicts:d}", figures)})
    return contexts


def _relative_objectives(fits: Sequence[FitHistory]) -> list[list[dict[str, float]]]:
    """Return the rows of fits. Objectives of several fits are not comparable, so each is divided by its last one."""
    if len(fits) == 1:
        return [fits[0].rows]
    ends = [abs(fit.rows[-1]["objective"]) or 1.0 if fit.rows else 1.0 for fit in fits]
    return [
        [row | {"objective": row["objective"] / end} for row in fit.rows] for fit, end in zip(fits, ends, strict=True)
    ]


def _study_context(study: Study, content: ReportData) -> dict[str, Any]:
    """Return a search with its charts. clean: it used only the training parts of this report, on every split."""
    trains = [split.train for split in content.splits]
    clean = all(
        study.data.digest
        in (train.digest, (train if content.min_rating is None else train.binarize(content.min_rating)).digest)
        for train in trains
    )
    return tuning_section.search_facts(study) | {
        "clean": clean,
        "pictures": _figure_contexts("search", tuning_section.search_charts(study)),
    }


def _popularity_context(content: ReportData) -> dict[str, Any]:
    """Return the popularity of recommended and of held-out items."""
    train, held_out = content.ranking_split.train, content.ranking_split.held_out  # as in the table of models
    users = np.flatnonzero(held_out.by_user.counts).astype(np.int32)
    n = min(content.list_length, len(train.item_ids))
    lists = {entry.label: entry.top_items(users, n, content.threads) for entry in content.listed_models}
    groups = popularity_bias.group_by_popularity(train.item_counts)
    model_shares = {label: groups.shares(top_items[top_items >= 0]) for label, top_items in lists.items()}
    active_users = int((train.by_user.counts > 0).sum())
    cold_items = any_mask(entry.model.cold_items for entry in content.listed_models)
    scorable = can_score(held_out.items, train.item_counts, cold_items)  # no model can recommend the others
    consumed = held_out.items[scorable]
    drawing = charts.draw_popularity_shares(
        groups.sizes, {popularity_bias.CONSUMED_LABEL: groups.shares(consumed)} | model_shares, content.colors
    )
    rows = popularity_bias.popularity_table(lists, train.item_counts, active_users)
    held_out_row = popularity_bias.popularity_table(
        {popularity_bias.CONSUMED_LABEL: consumed[None, :]}, train.item_counts, active_users
    )
    columns = ["popularity", "novelty", "coverage", "gini"]
    return {
        "n": n,
        "rows": {"held-out values": held_out_row[popularity_bias.CONSUMED_LABEL]} | rows,
        "pictures": _figure_contexts("bias", [drawing]),
        "columns": [(name, metric_title(name)) for name in columns],
        "models": list(lists),
        "unscorable": 1 - scorable.mean(),
        **popularity_bias.group_facts(groups.sizes),
    }


def _sample_lists_context(content: ReportData, card_factory: CardFactory) -> dict[str, Any]:
    users, items = content.sample_rows
    fitted_models, threads = content.listed_models, content.threads
    user_contexts = (
        sample_lists.user_lists(fitted_models, content.first_split, content.ranking_split, users, card_factory, threads)
        if len(users)
        else []
    )
    return {"users": user_contexts, "items": sample_lists.similar_items(fitted_models, items, card_factory, threads)}


def _reproduction_context(content: ReportData) -> dict[str, Any]:
    evaluation = content.evaluation
    return {
        "command": content.command,
        "call": reproduction.python_call(content.fitted_models, evaluation, content.min_rating, content.seed),
        "facts": reproduction.run_facts(content.data, content.first_split, evaluation, content.seed, content.threads),
        "rules": reproduction.recipe_rules(content.data),
        "settings": reproduction.model_settings(content.fitted_models),
    }
