"""Better settings for a model: trials that are fitted on one part of the data and scored on another.

search_space      where to search, as parameters declare it or as it is requested
trial             one trial: fits that end when the validation no longer improves, or when other trials are better
optuna_sampler    which settings to try next, and the outcomes of trials: the one place that knows Optuna
study_file        the study file, which one search at a time may use
search_plan       what a search is to do, checked
search            tune: trial after trial, or several at a time
study             Study: all trials, the best one, the model made with it
importance        a study file read again, and which settings mattered
"""

from alsatian.tuning.search import tune
from alsatian.tuning.study import Study, Trial

__all__ = ["Study", "Trial", "tune"]
