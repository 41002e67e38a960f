"""Better settings for a model: trials that are fitted on one part of the data and judged on another.

tuning/search_space.py   where to search, as parameters declare it or as it is asked for
trial.py         one trial: fits that end when the validation no longer improves, or when other trials are better
optuna_sampler.py      which settings to try next, and what became of them: the one place that knows Optuna
study_file.py        the study file, which one search at a time may use
search_plan.py       what a search is to do, checked
search.py      tune: trial after trial, or several at a time
study.py          Study: all trials, the best one, the model made with it
importance.py     a study file read again, and which settings mattered
"""

from alsatian.tuning.search import tune
from alsatian.tuning.study import Study, Trial

__all__ = ["Study", "Trial", "tune"]
