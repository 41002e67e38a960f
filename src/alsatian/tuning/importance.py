"""Read a study file, and compute the importance of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.persistence import format_1
from alsatian.recommender.registry import model_class
from alsatian.tuning import search_space
from alsatian.tuning.optuna_sampler import (
    FINGERPRINT_KEY,
    STUDY_NAME,
    import_optuna,
    open_journal,
    silence_optuna,
    to_distribution,
    to_trial,
)
from alsatian.tuning.study import Study
from alsatian.tuning.study_file import is_study_file

MIN_COMPLETE_TRIALS = 4  # importances of fewer complete trials are meaningless
TOP_TRIALS = 10  # number of trials that count as the best
DIGEST_LENGTH = 16  # characters of a digest in a study file


def check_study(path: Path) -> None:
    """Raise ParameterError if a file is not a study file, DependencyError without Optuna."""
    import_optuna()
    if not path.is_file() or not is_study_file(path):
        raise ParameterError(f"{path} is not a study file; pass a file from 'alsatian tune --study-file FILE'.")


def read_study(path: str | Path, data: Sequence[Interactions]) -> Study:
    """Return the search of a study file.

    data: candidates for the data of the study. The one that the search was run on is used, else the first.
    Raises ParameterError if it is not a study file or has no complete trial.
    """
    check_study(path := Path(path))
    with silence_optuna():
        optuna = import_optuna()
        try:
            stored_study = optuna.load_study(study_name=STUDY_NAME, storage=open_journal(path))
            stored_fingerprint = stored_study.user_attrs[FINGERPRINT_KEY]
        except KeyError:
            raise ParameterError(f"{path} has no search of 'alsatian tune'; pass a file that it wrote.") from None
        trials = [trial for trial in stored_study.trials if trial.state.is_finished()]
        higher_is_better = stored_study.direction.name == "MAXIMIZE"
    fingerprint = format_1.translate_search(stored_fingerprint)
    rows = tuple(
        replace(trial, settings=format_1.translate_settings(fingerprint["model"], trial.settings))
        for trial in map(to_trial, trials)
    )
    if not any(row.state == "complete" for row in rows):
        raise ParameterError(f"no trial of {path} is complete; continue the search first.")
    study_data = next(
        (interactions for interactions in data if interactions.digest[:DIGEST_LENGTH] == fingerprint["data"]), data[0]
    )
    model_type = model_class(fingerprint["model"])
    base = model_type(**fingerprint["settings"])
    parsed_space = search_space.parse_space(
        base, search_space.parse_cli(model_type, [f"{name}={text}" for name, text in fingerprint["space"].items()])
    )
    return Study(
        base,
        parsed_space,
        fingerprint["metric"],
        higher_is_better,
        fingerprint["split"],
        study_data,
        rows,
        interrupted=False,
        notes=(),
    )


def importances(study: Study) -> dict[str, float]:
    """Return the importance of each setting: its share in what distinguishes the best trials from the others.

    Computed by PED-ANOVA (Watanabe et al. 2023, "PED-ANOVA: Efficiently quantifying hyperparameter importance in
    arbitrary subspaces"). The best trials are a tenth of all, or ten if that is more, but at most half. `epochs` is
    left out if one fit tries all numbers of epochs. Empty if there are too few complete trials.
    """
    names = [name for name in study.space if all(name in trial.settings for trial in study.ranked_trials)]
    if study.model.epochs_are_nested:
        names = [name for name in names if name != "epochs"]
    if len(study.ranked_trials) < MIN_COMPLETE_TRIALS or len(names) < 2:
        return {}
    optuna = import_optuna()
    with silence_optuna():
        optuna_study = optuna.create_study(direction="maximize" if study.higher_is_better else "minimize")
        distributions = {name: to_distribution(study.space[name]) for name in names}
        for trial in study.ranked_trials:
            params = {name: trial.settings[name] for name in names}
            optuna_study.add_trial(
                optuna.trial.create_trial(params=params, distributions=distributions, value=trial.value)
            )
        target_quantile = float(np.clip(TOP_TRIALS / len(study.ranked_trials), 0.1, 0.5))
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=target_quantile)
        shares = optuna.importance.get_param_importances(optuna_study, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}
