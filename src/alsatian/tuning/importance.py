"""What a search tells afterwards: a study file read again, and which settings mattered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.models.ensemble.model_parameters import named
from alsatian.tuning import search_space
from alsatian.tuning.optuna_sampler import ABOUT, NAME, distribution, journal, library, quiet, trial_of
from alsatian.tuning.study import Study
from alsatian.tuning.study_file import is_journal

FEWEST, BEST = 4, 10  # complete trials from which on importances mean something; those that count as the best
DIGITS = 16  # of a digest, in a study file


def check_study(path: Path) -> None:
    """Raise ParameterError for what is no study file, DependencyError without Optuna."""
    library()
    if not path.is_file() or not is_journal(path):
        raise ParameterError(f"{path} is no study file; pass one that 'alsatian tune --study FILE' wrote.")


def read_study(path: str | Path, data: Sequence[Interactions]) -> Study:
    """Return the search of a study file; its data is that of these which it was made on, else the first.

    Raises ParameterError where it is no study file, or has no complete trial.
    """
    check_study(path := Path(path))
    with quiet():
        optuna = library()
        try:
            file = optuna.load_study(study_name=NAME, storage=journal(path))
            about = file.user_attrs[ABOUT]
        except KeyError:
            raise ParameterError(f"{path} holds no search of 'alsatian tune'; pass a file that it wrote.") from None
        trials = [trial for trial in file.trials if trial.state.is_finished()]
        rows, greater = tuple(map(trial_of, trials)), file.direction.name == "MAXIMIZE"
    if not any(row.state == "complete" for row in rows):
        raise ParameterError(f"no trial of {path} is complete; go on with the search first.")
    of = next((one for one in data if one.digest[:DIGITS] == about["data"]), data[0])
    kind = named(about["model"])
    base = kind(**about["settings"])
    where = search_space.asked(
        base, search_space.read(kind, [f"{name}={written}" for name, written in about["space"].items()])
    )
    return Study(base, where, about["metric"], greater, about["split"], of, rows, interrupted=False, notes=())


def importances(study: Study) -> dict[str, float]:
    """Return how much of what tells the best trials from the others is due to each setting, in shares.

    The best are a tenth of them, or ten, but at most half.
    By PED-ANOVA (Watanabe et al. 2023, "PED-ANOVA: Efficiently quantifying hyperparameter importance in arbitrary
    subspaces"). Numbers of epochs that one fit tried are no part of it; empty where too few trials are complete.
    """
    names = [name for name in study.space if all(name in trial.settings for trial in study.ranked)]
    if study.model.epochs_nest:
        names = [name for name in names if name != "epochs"]
    if len(study.ranked) < FEWEST or len(names) < 2:
        return {}
    optuna = library()
    with quiet():
        again = optuna.create_study(direction="maximize" if study.greater else "minimize")
        places = {name: distribution(study.space[name]) for name in names}
        for trial in study.ranked:
            params = {name: trial.settings[name] for name in names}
            again.add_trial(optuna.trial.create_trial(params=params, distributions=places, value=trial.value))
        best = float(np.clip(BEST / len(study.ranked), 0.1, 0.5))
        judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
        found = optuna.importance.get_param_importances(again, evaluator=judge)
    return {name: float(share) for name, share in found.items()}
