"""A search in charts: its history, the importance of settings, and the metric by each setting."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.ticker import MaxNLocator

from alsatian.evaluation.metric_registry import metric_title
from alsatian.reporting.charts import HEIGHT_INCHES, WIDE_INCHES, Chart, label_categories, percent_formatter
from alsatian.tuning.importance import importances
from alsatian.tuning.search_space import Choices, Range
from alsatian.tuning.study import Study, Trial, describe_settings, format_setting, format_state_counts
from alsatian.visual.plots import AXIS, COLORS, INK, number_formatter, small_figure

_AXIS_PADDING = 0.12  # relative to the spread of the complete trials


def search_charts(study: Study) -> list[Chart]:
    """Return the charts of a search; those without data are left out."""
    shares = importances(study)
    importance_charts = [_importance_chart(shares)] if shares else []
    return [
        _history_chart(study),
        *importance_charts,
        *(_setting_chart(study, name) for name in _settings_by_importance(study, shares)),
    ]


def search_facts(study: Study) -> dict[str, Any]:
    """Return the facts of a search by name: model, metric, split, trials, best value, settings, space."""
    return {
        "model": study.base.name,
        "metric": metric_title(study.metric),
        "split": study.split,
        "trials": f"{len(study):,} trials ({format_state_counts(study.rows)})",
        "best": f"{study.best.value:.4f}",
        "settings": describe_settings(study.best) or "the initial settings",
        "space": {name: str(where) for name, where in study.space.items()},
    }


def _settings_by_importance(study: Study, shares: dict[str, float]) -> list[str]:
    """Return the settings that differ between trials, the most important first."""
    names = [name for name in study.space if len({str(trial.settings.get(name)) for trial in study.ranked_trials}) > 1]
    return sorted(names, key=lambda name: -shares.get(name, 0.0))


def _history_chart(study: Study) -> Chart:
    """Draw the metric of each trial, and the best value so far as steps."""
    tooltips, best_value, steps = [], None, []
    with small_figure(WIDE_INCHES, HEIGHT_INCHES) as (figure, axes):
        for trial in study.rows:
            if trial.value is None:
                continue
            tooltips.append(_plot_trial(axes, trial.number, trial, study.metric))
            if trial.state == "complete":
                is_better = best_value is None or (
                    trial.value > best_value if study.higher_is_better else trial.value < best_value
                )
                best_value = trial.value if is_better else best_value
            if best_value is not None:
                steps.append((trial.number, best_value))
        axes.step(*zip(*steps, strict=True), where="post", color=INK, lw=1.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("trial")
        _set_limits(axes, study)
    return Chart(
        "History", figure, tooltips, "The line is the best value so far. Hollow dots are trials that ended early."
    )


def _importance_chart(shares: dict[str, float]) -> Chart:
    names = list(shares)
    with small_figure(WIDE_INCHES, min(HEIGHT_INCHES, 0.75 + 0.36 * len(names))) as (figure, axes):
        bars = axes.barh(range(len(names)), [shares[name] for name in names], color=COLORS[0], height=0.6)
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(percent_formatter)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
    texts = [f"{name}: {share:.1%}" for name, share in shares.items()]
    note = "How much of the difference between the best trials and the others each setting explains (PED-ANOVA)."
    return Chart("Importance of settings", figure, list(zip(bars, texts, strict=True)), note)


def _setting_chart(study: Study, name: str) -> Chart:
    """Draw the metric of each trial by one of its settings."""
    search_range, tooltips = study.space[name], []
    numeric = isinstance(search_range, Range) or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in search_range.values
    )
    with small_figure(WIDE_INCHES, HEIGHT_INCHES) as (figure, axes):
        labels = [format_setting(value) for value in search_range.values] if isinstance(search_range, Choices) else []
        for trial in study.rows:
            if trial.value is None or name not in trial.settings:
                continue
            value = trial.settings[name]
            position = float(value) if numeric else labels.index(format_setting(value))
            tooltips.append(_plot_trial(axes, position, trial, study.metric))
        if isinstance(search_range, Range) and search_range.scale == "log":
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(number_formatter)
        elif isinstance(search_range, Range) and search_range.is_integer:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if not numeric:
            label_categories(axes, labels)
        axes.set_xlabel(name)
        _set_limits(axes, study)
    return Chart(f"{metric_title(study.metric)} by {name}", figure, tooltips)


def _plot_trial(axes: Any, position: float, trial: Trial, metric: str) -> tuple[Any, str]:
    is_complete = trial.state == "complete"
    (dot,) = axes.plot(
        position,
        trial.value,
        "o",
        ms=5,
        color=COLORS[0] if is_complete else "none",
        mec=COLORS[0] if is_complete else AXIS,
    )
    return dot, f"trial {trial.number}, {trial.state}: {metric} {trial.value:.4f}; {describe_settings(trial)}"


def _set_limits(axes: Any, study: Study) -> None:
    """Limit the axis to the complete trials, without those that are far worse than the median."""
    figures = [trial.value for trial in study.ranked_trials if trial.value is not None and math.isfinite(trial.value)]
    best, median, worst = figures[0], figures[len(figures) // 2], figures[-1]
    outlier_bound = best + 6 * (median - best) if median != best else worst
    end = max(worst, outlier_bound) if study.higher_is_better else min(worst, outlier_bound)
    low, high = sorted((best, end))
    pad = _AXIS_PADDING * (high - low) or abs(high) * 0.01 or 0.01
    axes.set_ylim(low - pad, high + pad)
