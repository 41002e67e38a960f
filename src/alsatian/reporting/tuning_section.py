"""A search in pictures: how it went, which settings mattered, and the figure by each of them."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.ticker import MaxNLocator

from alsatian.evaluation.metric_registry import title_of
from alsatian.reporting.charts import HIGH, WIDE, Drawing, category_axis, percent
from alsatian.tuning.importance import importances
from alsatian.tuning.search_space import Choices, Range
from alsatian.tuning.study import Study, Trial, counts, said_of, written
from alsatian.visual.plots import AXIS, COLORS, INK, numbers, small

_PAD = 0.12  # of the spread of the complete trials, around them


def drawings(study: Study) -> list[Drawing]:
    """Return the pictures of a search, those that there is something to draw in."""
    shares = importances(study)
    mattered = [_importance(shares)] if shares else []
    return [_history(study), *mattered, *(_slice(study, name) for name in _searched(study, shares))]


def facts(study: Study) -> dict[str, Any]:
    """Return what is told of a search beside its pictures."""
    return {
        "model": study.base.name,
        "metric": title_of(study.metric),
        "split": study.split,
        "trials": f"{len(study):,} trials ({counts(study.rows)})",
        "best": f"{study.best.value:.4f}",
        "settings": said_of(study.best) or "as it was",
        "space": {name: str(where) for name, where in study.space.items()},
    }


def _searched(study: Study, shares: dict[str, float]) -> list[str]:
    """Return the settings that differ between trials, those that matter most first."""
    names = [name for name in study.space if len({str(trial.settings.get(name)) for trial in study.ranked}) > 1]
    return sorted(names, key=lambda name: -shares.get(name, 0.0))


def _history(study: Study) -> Drawing:
    """Draw the figure of each trial, and the best so far as a step."""
    tips, best, steps = [], None, []
    with small(WIDE, HIGH) as (figure, axes):
        for trial in study.rows:
            if trial.value is None:
                continue
            tips.append(_dot(axes, trial.number, trial, study.metric))
            if trial.state == "complete":
                better = best is None or (trial.value > best if study.greater else trial.value < best)
                best = trial.value if better else best
            if best is not None:
                steps.append((trial.number, best))
        axes.step(*zip(*steps, strict=True), where="post", color=INK, lw=1.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("trial")
        _limits(axes, study)
    return Drawing("History", figure, tips, "The line is the best so far; hollow dots are trials that ended early.")


def _importance(shares: dict[str, float]) -> Drawing:
    names = list(shares)
    with small(WIDE, min(HIGH, 0.75 + 0.36 * len(names))) as (figure, axes):
        bars = axes.barh(range(len(names)), [shares[name] for name in names], color=COLORS[0], height=0.6)
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(percent)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
    said = [f"{name}: {share:.1%}" for name, share in shares.items()]
    note = "How much of what tells the best trials from the others is due to each setting (PED-ANOVA)."
    return Drawing("Importance of settings", figure, list(zip(bars, said, strict=True)), note)


def _slice(study: Study, name: str) -> Drawing:
    """Draw the figure of each trial by one of its settings."""
    where, tips = study.space[name], []
    numeric = isinstance(where, Range) or all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in where.values
    )
    with small(WIDE, HIGH) as (figure, axes):
        words = [written(value) for value in where.values] if isinstance(where, Choices) else []
        for trial in study.rows:
            if trial.value is None or name not in trial.settings:
                continue
            value = trial.settings[name]
            place = float(value) if numeric else words.index(written(value))
            tips.append(_dot(axes, place, trial, study.metric))
        if isinstance(where, Range) and where.scale == "log":
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(numbers)
        elif isinstance(where, Range) and where.whole:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if not numeric:
            category_axis(axes, words)
        axes.set_xlabel(name)
        _limits(axes, study)
    return Drawing(f"{title_of(study.metric)} by {name}", figure, tips)


def _dot(axes: Any, place: float, trial: Trial, metric: str) -> tuple[Any, str]:
    whole = trial.state == "complete"
    (dot,) = axes.plot(
        place, trial.value, "o", ms=5, color=COLORS[0] if whole else "none", mec=COLORS[0] if whole else AXIS
    )
    return dot, f"trial {trial.number}, {trial.state}: {metric} {trial.value:.4f}; {said_of(trial)}"


def _limits(axes: Any, study: Study) -> None:
    """Show the complete trials but for those that are far worse than half of them; others lie outside."""
    figures = [trial.value for trial in study.ranked if trial.value is not None and math.isfinite(trial.value)]
    best, middle, worst = figures[0], figures[len(figures) // 2], figures[-1]
    far = best + 6 * (middle - best) if middle != best else worst
    end = max(worst, far) if study.greater else min(worst, far)
    low, high = sorted((best, end))
    pad = _PAD * (high - low) or abs(high) * 0.01 or 0.01
    axes.set_ylim(low - pad, high + pad)
