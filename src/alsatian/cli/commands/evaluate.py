"""alsatian evaluate: compare models on held-out values, with confidence intervals."""

from __future__ import annotations

import time

from alsatian._util.formatting import format_duration
from alsatian.cli.data_messages import choose_default_models, print_read_summary
from alsatian.cli.options.common import Json, Seed, SourceArgument, Threads
from alsatian.cli.options.evaluation import (
    BaselineOption,
    BootstrapDraws,
    EvaluateMinRating,
    ListLengths,
    MetricNames,
    ModelNames,
    SplitNames,
    check_splits,
    make_splits,
)
from alsatian.cli.options.model import ModelSettings, models_from_names
from alsatian.cli.options.source import SourceOptions, with_source_options
from alsatian.cli.terminal import Summary, print_json, print_table, show_status


@with_source_options()
def evaluate_models(
    source: SourceArgument,
    reading: SourceOptions,
    models: ModelNames = [],  # noqa: B006
    split: SplitNames = ["per-user:10"],  # noqa: B006
    at: ListLengths = [10],  # noqa: B006
    metrics: MetricNames = [],  # noqa: B006
    settings: ModelSettings = [],  # noqa: B006
    min_rating: EvaluateMinRating = None,
    baseline: BaselineOption = "popularity",
    bootstrap: BootstrapDraws = 2000,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Compare models on held-out values, with confidence intervals.

    \b
    alsatian evaluate ratings.csv --model implicit-als --model item-knn --min-rating 4
    alsatian evaluate ratings.csv --model biased-mf:factors=32 --split k-fold:5 --metric rmse
    alsatian evaluate events.csv --model ease --split by-time:0.2 --at 5 --at 20
    """
    from alsatian import evaluation
    from alsatian.evaluation.metric_registry import parse_metrics

    start = time.perf_counter()
    reading.check()
    candidates = models_from_names(models, settings)
    parse_metrics(metrics or None, at)
    check_splits(split, source, reading)
    summary = Summary(stderr=as_json)
    with show_status(f"reading {source}"):
        data = reading.load(source)
    print_read_summary(summary, source, data)
    candidates = candidates or models_from_names(choose_default_models(summary, data, min_rating), settings)
    results = evaluation.evaluate(
        candidates, make_splits(split, source, data, seed), at=at, metrics=metrics or None, baseline=baseline,
        min_rating=min_rating, bootstrap=bootstrap, seed=seed, threads=threads,
    )  # fmt: skip
    if as_json:
        print_json({"source": source, **results.record(), "seconds": time.perf_counter() - start})
        return
    summary.blank_line()
    print_table(summary.console, results.table())
    summary.blank_line()
    summary.line("time", f"{format_duration(time.perf_counter() - start)} in all")
