"""Better settings for a model: trials that are fitted on one part of the data and judged on another.

models/space.py   where to search, as parameters declare it or as it is asked for
trials.py         one trial: fits that end when the validation no longer improves, or when other trials are better
proposals.py      which settings to try next, and what became of them: the one place that knows Optuna
journal.py        the study file, which one search at a time may use
planning.py       what a search is to do, checked
searching.py      tune: trial after trial, or several at a time
study.py          Study: all trials, the best one, the model made with it
retrospect.py     a study file read again, and which settings mattered
"""

from alsatian.tuning.searching import tune
from alsatian.tuning.study import Study, Trial

__all__ = ["Study", "Trial", "tune"]
