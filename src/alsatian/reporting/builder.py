"""report: data, models, search and sample lists on one HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsatian import kernels
from alsatian._util.atomic_write import write_atomic
from alsatian._util.dataframes import import_package
from alsatian._util.progress_bar import StepCallback, show_steps
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.evaluation import Evaluation, evaluate
from alsatian.evaluation.compare import group_by_protocol, label_models
from alsatian.evaluation.learning_curves import import_plots
from alsatian.evaluation.metric_registry import parse_metrics
from alsatian.inspection.value_type import suggest_models
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import as_model
from alsatian.posters import Posters
from alsatian.reporting import sample_lists
from alsatian.reporting.fitted_models import FittedModel, fit_for_report
from alsatian.split import Split, from_spec, spec
from alsatian.tuning.importance import check_study, read_study
from alsatian.tuning.study import Study
from alsatian.visual import html as pages


@dataclass(frozen=True, eq=False)
class Report:
    """An HTML page that needs no other file and no network, and the evaluation that it shows."""

    html: str
    evaluation: Evaluation

    def save(self, path: str | Path) -> None:
        """Write the page to a file. If the write fails, an existing file stays unchanged."""
        write_atomic(path, self.html.encode(errors="replace"))  # file names may not be valid text

    def __repr__(self) -> str:
        return f"Report({len(self.html):,} letters)\n{self.evaluation}"


@dataclass(frozen=True)
class ReportOptions:
    """The keyword arguments of `report`, and the command line.

    command: the command line that reproduces the page, to show on it; None shows only the call in Python.
    """

    split: str | Split | Sequence[Split] = "per-user:10"
    at: int | Sequence[int] = (10,)
    metrics: Iterable[str] | None = None
    baseline: str = "popularity"
    min_rating: float | None = None
    bootstrap: int = 2000
    study: Study | str | Path | None = None
    users: Iterable[Id] | None = None
    items: Iterable[Id] | None = None
    posters: Posters | None = None
    title: str = "Report"
    seed: int = 0
    threads: int | None = None
    progress: bool | None = None
    command: str | None = None


def report(
    models: Model | str | Iterable[Model | str] | None,
    data: Interactions,
    *,
    split: str | Split | Sequence[Split] = "per-user:10",
    at: int | Sequence[int] = (10,),
    metrics: Iterable[str] | None = None,
    baseline: str = "popularity",
    min_rating: float | None = None,
    bootstrap: int = 2000,
    study: Study | str | Path | None = None,
    users: Iterable[Id] | None = None,
    items: Iterable[Id] | None = None,
    posters: Posters | None = None,
    title: str = "Report",
    seed: int = 0,
    threads: int | None = None,
    progress: bool | None = None,
) -> Report:
    """Evaluate models and write everything about them and their data to one HTML page that can be shared.

    The page shows the data, the split, the table of models, learning curves, the search, popularity bias and sample
    lists. It needs no other file and no network.

    models: models or names, as `evaluate` takes them; None chooses the models that suit the values.
    data: the interactions. at, metrics, baseline, min_rating, bootstrap: as for `evaluate`.
    split: a split by its name, or splits of the data. Curves and lists are those of the first split.
    study: the search to show, or its file; its best model joins the table.
    users, items: ids of the users and items whose lists are shown; items also by title. None: a few of different
        activity and popularity.
    posters: the source of poster images. None: TMDB if its key is set and items have titles, else drawn images.
    title: the name of the data in the heading.

    Raises ParameterError, DataError, UnknownId, DependencyError (pip install 'alsatian[report]').

    >>> from alsatian import datasets
    >>> ratings = datasets.load("movielens-small")
    >>> page = report("item-knn", ratings, metrics=["ndcg"], bootstrap=100, posters=Posters(""))
    >>> page.evaluation["item-knn"].metrics, page.html[:15]
    ({'ndcg@10': ...}, '<!doctype html>')
    """
    options = ReportOptions(
        split,
        at,
        metrics,
        baseline,
        min_rating,
        bootstrap,
        study,
        users,
        items,
        posters,
        title,
        seed,
        threads,
        progress,
    )
    return build_report(models, data, options)


def build_report(
    models: Model | str | Iterable[Model | str] | None, data: Interactions, options: ReportOptions
) -> Report:
    """Build a report; errors as for `report`."""
    check_libraries(options.study)
    seed, min_rating, progress = options.seed, options.min_rating, options.progress
    request, splits = parse_metrics(options.metrics, options.at), _parse_splits(data, options.split, seed)
    all_splits = [fold for folds in group_by_protocol(splits, seed).values() for fold in folds]
    first_split = all_splits[0]
    ranking_split = first_split if min_rating is None else first_split.binarize(min_rating)
    study = _load_study(options.study, data, first_split, min_rating)
    requested_models = _report_models(models, data, study)
    models_by_label = label_models(requested_models, first_split.train)
    sample_rows = (
        sample_lists.choose_users(first_split, options.users),
        sample_lists.choose_items(first_split.train, options.items),
    )
    threads = kernels.usable_threads(options.threads)
    posters = options.posters or Posters(offline=not data.catalog.titles)
    evaluation = evaluate(
        requested_models, splits, metrics=request.names, baseline=options.baseline, min_rating=min_rating,
        bootstrap=options.bootstrap, seed=seed, threads=threads, progress=progress,
    )  # fmt: skip
    from alsatian.reporting.report_page import ReportData, render_report

    with show_steps("drawing", len(models_by_label) + 2, progress) as step:
        fitted_models = _fit_models(models_by_label, len(requested_models), first_split, min_rating, threads, step)
        content = ReportData(
            data, all_splits, ranking_split, min_rating, evaluation, fitted_models, study, sample_rows, posters,
            request.list_metrics[0][1] if request.list_metrics else 10, options.title, options.command, seed, threads,
        )  # fmt: skip
        return Report(render_report(content, step), evaluation)


def _parse_splits(data: Interactions, split: str | Split | Sequence[Split], seed: int) -> Split | Sequence[Split]:
    """Return the splits of the data; raises ParameterError before any work."""
    if not isinstance(data, Interactions):
        raise ParameterError(f"report takes Interactions, not a {type(data).__name__}; pass al.read(...).")
    if not isinstance(split, str):
        return split
    spec.parse_spec(split)
    return from_spec(split, data, seed)


def check_libraries(study: str | Path | Study | None = None) -> None:
    """Raise DependencyError if a package that a report needs is not installed, before any work."""
    pages.import_jinja()
    import_package("matplotlib", "pip install 'alsatian[report]'")
    import_plots()
    if isinstance(study, str | Path):
        check_study(Path(study))


def _report_models(models: Any, data: Interactions, study: Study | None) -> list[Model]:
    """Return the requested models, or those that suit the values, and the best model of the search."""
    candidates = (
        suggest_models(data)[0] if models is None else [models] if isinstance(models, Model | str) else list(models)
    )
    instances: list[Model] = [model if isinstance(model, Model) else as_model(model) for model in candidates]
    if study is not None:
        best = study.model
        instances += (
            [best] if all((model.name, model.params) != (best.name, best.params) for model in instances) else []
        )
    return instances


def _load_study(
    study: Study | str | Path | None, data: Interactions, split: Split, min_rating: float | None
) -> Study | None:
    """Return the search to show. In a file, it must be on the data or the training part, or on their likes."""
    if study is None or isinstance(study, Study):
        return study
    parts = [data, split.train]
    return read_study(study, parts + ([] if min_rating is None else [part.binarize(min_rating) for part in parts]))


def _fit_models(
    models: dict[str, Model],
    requested_count: int,
    split: Split,
    min_rating: float | None,
    threads: int,
    step: StepCallback,
) -> list[FittedModel]:
    """Return all models of the table, fitted on the first split; the first `requested_count` were requested."""
    fitted_models = []
    for index, (label, model) in enumerate(models.items()):
        step(f"{label} for the lists")
        fitted_models.append(
            fit_for_report(label, model, split, min_rating, threads, is_requested=index < requested_count)
        )
    return fitted_models
