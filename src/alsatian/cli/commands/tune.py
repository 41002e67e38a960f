"""alsatian tune: search the hyperparameters of a model."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.cli.data_messages import binarize_data, model_choice_notes, print_read_summary
from alsatian.cli.options.common import Json, Seed, SourceArgument, Threads
from alsatian.cli.options.model import MinRating, ModelName, ModelSettings, check_amounts, choose_model
from alsatian.cli.options.output import check_output
from alsatian.cli.options.source import SourceOptions, apply_min_rating, with_source_options
from alsatian.cli.terminal import Summary, print_json, print_table, show_status
from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.cli.options.model import ModelChoice
    from alsatian.data.interactions import Interactions
    from alsatian.evaluation import Evaluation
    from alsatian.models import Model
    from alsatian.split import Split
    from alsatian.tuning import Study

TuneOutput = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="The model file to write: the best model, fitted on all data."),
]
SearchRanges = Annotated[
    list[str],
    typer.Option(
        "--search",
        metavar="NAME[=WHERE]",
        help="A setting to search, such as reg=0.01..1, reg=0.01..1:log or factors=16,32; repeat for more. NAME alone "
        "uses the model's usual range. Without --search, all tunable settings are searched.",
    ),
]
TrialCount = Annotated[
    int | None,
    typer.Option(
        "--trials",
        metavar="N",
        help="Number of trials, including those in --study-file. Default: 50, or the whole grid.",
    ),
]
SamplerName = Annotated[
    str, typer.Option("--sampler", metavar="NAME", help="How to choose the settings of a trial: tpe, random or grid.")
]
ChoiceMetric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="The metric to optimize. Default: rmse for models that predict ratings, ndcg@10 for others.",
    ),
]
TuningSplit = Annotated[
    str,
    typer.Option(
        "--split", metavar="NAME[:SIZE]", help="How to validate trials, such as per-user:10, random:0.2 or k-fold:3."
    ),
]
TestSplit = Annotated[
    str | None,
    typer.Option(
        "--test",
        metavar="NAME[:SIZE]",
        help="A test split, such as random:0.2. The search does not use it; the best model is evaluated on it once.",
    ),
]
TuningPatience = Annotated[
    int, typer.Option("--patience", metavar="N", help="Stop a fit after N epochs without improvement.")
]
PruneTrials = Annotated[
    bool,
    typer.Option("--prune/--no-prune", help="Stop trials that are worse than the median. Has no effect with grid."),
]
TuningTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="SECONDS", help="Start no new trial after this many seconds (running ones finish)."
    ),
]
TuneStudyFile = Annotated[
    Path | None,
    typer.Option(
        "--study-file",
        metavar="FILE",
        help="Store the trials in this file. The same command resumes the search, also after a crash. Only one process "
        "may use the file at a time.",
    ),
]
TuningWorkers = Annotated[int, typer.Option("--workers", metavar="N", help="Number of trials to run in parallel.")]


@with_source_options()
def tune_model(
    source: SourceArgument,
    reading: SourceOptions,
    model: ModelName = None,
    output: TuneOutput = None,
    trials: TrialCount = None,
    search: SearchRanges = [],  # noqa: B006
    settings: ModelSettings = [],  # noqa: B006
    sampler: SamplerName = "tpe",
    metric: ChoiceMetric = None,
    split: TuningSplit = "per-user:10",
    test: TestSplit = None,
    min_rating: MinRating = None,
    study_file: TuneStudyFile = None,
    patience: TuningPatience = 5,
    prune: PruneTrials = True,
    timeout: TuningTimeout = None,
    workers: TuningWorkers = 1,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Search the settings of a model on held-out values.

    Ctrl-C stops the search and prints the best trial so far. No model is saved then; --study-file keeps the trials.

    \b
    alsatian tune ratings.csv --model implicit-als --min-rating 4 -o my.model
    alsatian tune ratings.csv --model explicit-als --test random:0.2 --study-file ratings.study
    alsatian tune ratings.csv --model explicit-als --sampler grid --split random:0.2 \\
      --search epochs=5,10,20 --search reg=0.1,0.4,1.6 --search factors=8,16,32
    """
    from alsatian import tuning
    from alsatian.split import spec
    from alsatian.tuning import search_space
    from alsatian.tuning.optuna_sampler import import_optuna

    start = time.perf_counter()
    import_optuna()
    reading.check()
    reading, min_rating = apply_min_rating(reading, min_rating)
    choice = choose_model(model, settings, min_rating)
    for split_name in filter(None, (split, test)):
        spec.parse_spec(split_name)
    for candidate in choice.models.values() if model else ():
        search_space.parse_space(candidate, search_space.parse_cli(type(candidate), search))
    if output is not None:
        check_output(output, source, reading.items)
    summary = Summary(stderr=as_json)
    data, selected_model = _read_data(summary, source, reading, choice, min_rating)
    test_split = None if test is None else _make_test_split(test, data, seed)
    search_ranges = search_space.parse_cli(type(selected_model), search)
    tuning_study = tuning.tune(
        selected_model, data if test_split is None else test_split.train, trials=trials, space=search_ranges or None,
        sampler=sampler, metric=metric,  # type: ignore[arg-type]
        split=split, patience=patience, prune=prune, timeout=timeout, study_file=study_file, seed=seed,
        workers=workers, threads=threads,
    )  # fmt: skip
    if not as_json:
        _print_study(summary, tuning_study)
    if tuning_study.interrupted:
        _end_interrupted(summary, tuning_study, source, study_file, as_json=as_json)
    evaluation = None if test_split is None else _evaluate_best(tuning_study, test_split, threads)
    if evaluation is not None and not as_json:
        summary.blank_line()
        print_table(summary.console, evaluation.table())
        summary.blank_line()
    file_record = _save_best(summary, tuning_study, data, output, threads)
    if as_json:
        extra_fields = {"test": evaluation and evaluation.record(), "seconds": time.perf_counter() - start}
        print_json({"source": source, **tuning_study.record(), **file_record, **extra_fields})
        return
    summary.line("time", f"{format_duration(time.perf_counter() - start)} in all")
    summary.line("next", _next_command(tuning_study, source, output), no_wrap=True)


def _read_data(
    summary: Summary, source: str, reading: SourceOptions, choice: ModelChoice, min_rating: float | None
) -> tuple[Interactions, Model]:
    """Read the source and choose the model; print a summary of both."""
    with show_status(f"reading {source}"):
        data = reading.load(source)
    print_read_summary(summary, source, data)
    selected_model, reason = choice.choose(data)
    summary.line(
        "model", f"{selected_model.name}, {reason} (--model chooses another)" if reason else selected_model.name
    )
    for note in model_choice_notes(choice, selected_model, data):
        summary.line("note", note)
    if min_rating is not None and data.recipe.min_rating is None:
        data = binarize_data(summary, data, min_rating)
    check_amounts(selected_model, data, source)
    return data, selected_model


def _make_test_split(name: str, data: Interactions, seed: int) -> Split:
    from alsatian.split.spec import from_spec

    splits = from_spec(name, data, seed)
    if len(splits) > 1:
        raise ParameterError(
            f"--test {name} makes {len(splits)} splits; pass one that makes a single split, such as random:0.2."
        )
    return splits[0]


def _evaluate_best(study: Study, test_split: Split, threads: int | None) -> Evaluation:
    """Evaluate the best model and the initial one on the test part."""
    from alsatian.evaluation import evaluate

    base_model = _make_base_model(study)
    models = [study.model] if study.model.params == base_model.params else [study.model, base_model]
    name = study.metric.partition("@")[0]
    default_metrics = ["rmse", "ndcg"] if study.base.predicts_ratings else ["ndcg", "recall"]
    return evaluate(models, test_split, metrics=list(dict.fromkeys([name, *default_metrics])), threads=threads)


def _make_base_model(study: Study) -> Model:
    """Return the initial model of the search, with at most as many factors as the data allows."""
    max_factors = min(len(study.data.user_ids), len(study.data.item_ids))
    limits = {"factors": max_factors} if (study.base.params.get("factors") or 0) > max_factors else {}
    return type(study.base)(**study.base.params | limits)


def _save_best(
    summary: Summary, study: Study, data: Interactions, output: Path | None, threads: int | None
) -> dict[str, Any]:
    """Fit the best model on all data, including the test part, and save it; return file and bytes, None without -o."""
    from alsatian.persistence import save_load

    if output is None:
        return {"file": None, "bytes": None}
    fitted = study.model.fit(data, threads=threads)
    with show_status(f"saving {output}"):
        save_load.save(fitted, output)
    summary.line("saved", f"{output}, {format_bytes(output.stat().st_size)}, fitted on all {len(data):,} values")
    return {"file": str(output), "bytes": output.stat().st_size}


def _print_study(summary: Summary, study: Study) -> None:
    from alsatian.tuning.study import describe_settings

    summary.blank_line()
    print_table(summary.console, study.table())
    summary.blank_line()
    summary.line(
        "best", f"{study.metric} {study.best.value:.4f}: {describe_settings(study.best) or 'the initial settings'}"
    )


def _end_interrupted(summary: Summary, tuning_study: Study, source: str, study: Path | None, *, as_json: bool) -> None:
    """Print how to resume after Ctrl-C, and raise KeyboardInterrupt again."""
    if as_json:
        print_json({"source": source, **tuning_study.record()})
    if study is not None:
        summary.line("next", f"the same command resumes at trial {len(tuning_study.rows)} of {study}")
    else:
        summary.line("next", _next_command(tuning_study, source, None), no_wrap=True)
    raise KeyboardInterrupt


def _next_command(study: Study, source: str, output: Path | None) -> str:
    if output is not None:
        return f"alsatian recommend {shlex.quote(str(output))} --user ID"
    settings = " ".join(f"--set {name}={value}" for name, value in study.model.non_default.items())
    min_rating = study.data.recipe.min_rating
    options = "" if min_rating is None else f" --min-rating {min_rating:g}"
    return f"alsatian train {shlex.quote(source)} -o my.model --model {study.base.name}{options} {settings}".rstrip()
