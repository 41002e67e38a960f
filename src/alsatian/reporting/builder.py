"""report: everything about some data and some models of it, as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alsatian import kernels
from alsatian._util.atomic_write import write_whole
from alsatian._util.dataframes import package
from alsatian._util.progress_bar import Step, steps
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.evaluation import Evaluation, evaluate
from alsatian.evaluation.compare import entered_in, protocols_of
from alsatian.evaluation.learning_curves import plots
from alsatian.evaluation.metric_registry import asked
from alsatian.inspection.value_type import suggested
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import made
from alsatian.posters import Posters
from alsatian.reporting import sample_lists
from alsatian.reporting.fitted_models import Entry, entry
from alsatian.split import Split, named, spec
from alsatian.tuning.importance import check_study, read_study
from alsatian.tuning.study import Study
from alsatian.visual import html as pages


@dataclass(frozen=True, eq=False)
class Report:
    """A page of HTML that needs no other file and no network, and the table of models in it."""

    html: str
    evaluation: Evaluation

    def save(self, path: str | Path) -> None:
        """Write the page into a file; whatever goes wrong, an older one stays whole."""
        write_whole(path, self.html.encode(errors="replace"))  # names of files need not be text

    def __repr__(self) -> str:
        return f"Report({len(self.html):,} letters)\n{self.evaluation}"


def report(
    data: Interactions,
    models: Model | str | Iterable[Model | str] | None = None,
    *,
    split: str | Split | Sequence[Split] = "per-user:10",
    at: int | Sequence[int] = (10,),
    metrics: Iterable[str] | None = None,
    reference: str = "popularity",
    likes: float | None = None,
    bootstrap: int = 2000,
    study: Study | str | Path | None = None,
    users: Iterable[Id] | None = None,
    items: Iterable[Id] | None = None,
    posters: Posters | None = None,
    title: str = "Report",
    command: str | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: bool | None = None,
) -> Report:
    """Judge models, and show them to others: data, split, table, curves, search, popularity and eye test in one page.

    models, at, metrics, reference, likes, bootstrap: as `evaluate` takes them (models None: what suits the values).
    split: a protocol as it is written, or splits of the data. Curves, lists and the eye test are of the first split.
    study: a search to show, or its file; its best model is among the models.
    users, items: whom and what the eye test shows (None: a few of different activity and popularity).
    posters: where pictures of items come from (None: TMDB where its key is set, and items have titles; else drawn).
    title: what the data is called. command: what makes the page again, shown in it.

    Raises ParameterError, DataError, UnknownId, DependencyError (pip install 'alsatian[report]').

    >>> from alsatian import datasets
    >>> page = report(datasets.load("movielens-small"), "item-knn", metrics=["ndcg"], bootstrap=100, posters=Posters(""))
    >>> page.evaluation["item-knn"].metrics, page.html[:15]
    ({'ndcg@10': ...}, '<!doctype html>')
    """
    check_libraries(study)
    wanted, splits = asked(metrics, at), _splits(data, split, seed)
    several = [one for folds in protocols_of(splits, seed).values() for one in folds]
    first = several[0]
    liked = first if likes is None else first.likes(likes)
    search = _search(study, data, first, likes)
    entered = _models(models, data, search)
    asked_for = entered_in(entered, first.train)
    shown = sample_lists.users_of(first, users), sample_lists.items_of(first.train, items)
    own, pictures = kernels.usable_threads(threads), posters or Posters(offline=not data.catalog.titles)
    found = evaluate(
        entered, splits, metrics=wanted.names, reference=reference, likes=likes, bootstrap=bootstrap, seed=seed,
        threads=own, progress=progress,
    )  # fmt: skip
    from alsatian.reporting.report_page import Material, compose

    with steps("drawing", len(asked_for) + 2, progress) as step:
        entries = _entries(asked_for, len(entered), first, likes, own, step)
        material = Material(
            data, several, liked, likes, found, entries, search, shown, pictures,
            wanted.lists[0][1] if wanted.lists else 10, title, command, seed, own,
        )  # fmt: skip
        return Report(compose(material, step), found)


def _splits(data: Interactions, split: str | Split | Sequence[Split], seed: int) -> Split | Sequence[Split]:
    """Return the splits of the data; raises ParameterError before any work."""
    if not isinstance(data, Interactions):
        raise ParameterError(f"report takes what al.read gives, not a {type(data).__name__}; pass al.read(...).")
    if not isinstance(split, str):
        return split
    spec.parse(split)
    return named(split, data, seed)


def check_libraries(study: str | Path | Study | None = None) -> None:
    """Raise DependencyError where something that a report needs is not installed, before any work."""
    pages.library()
    package("matplotlib", "pip install 'alsatian[report]'")
    plots()
    if isinstance(study, str | Path):
        check_study(Path(study))


def _models(models: Any, data: Interactions, search: Study | None) -> list[Model]:
    """Return the models that were asked for, or those that suit the values; with the best one of a search."""
    given = suggested(data)[0] if models is None else [models] if isinstance(models, Model | str) else list(models)
    several: list[Model] = [one if isinstance(one, Model) else made(one) for one in given]
    if search is not None:
        best = search.model
        several += [best] if all((one.name, one.params) != (best.name, best.params) for one in several) else []
    return several


def _search(study: Study | str | Path | None, data: Interactions, split: Split, likes: float | None) -> Study | None:
    """Return the search to show; of a file that of this data, of its likes, or of what is learned from."""
    if study is None or isinstance(study, Study):
        return study
    parts = [data, split.train]
    return read_study(study, parts + ([] if likes is None else [part.likes(likes) for part in parts]))


def _entries(
    models: dict[str, Model], given: int, split: Split, likes: float | None, threads: int, step: Step
) -> list[Entry]:
    """Return all models of the table, fitted on the first split; the first `given` were asked for."""
    entries = []
    for place, (label, model) in enumerate(models.items()):
        step(f"{label} for the lists")
        entries.append(entry(label, model, split, likes, threads, asked=place < given))
    return entries
