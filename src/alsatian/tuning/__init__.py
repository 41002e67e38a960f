"""Hyper-parameter search: trials are fitted on one part of the data and scored on another.

search_space      the ranges to search, as declared by the parameters or as requested
trial             one trial: fits that stop when the validation no longer improves, or are pruned
optuna_sampler    the settings to try next, and the outcomes of trials, by Optuna
study_file        the study file, which only one search at a time may use
search_plan       the validated arguments of a search
search            tune: run trials, one or several at a time
study             Study: all trials, the best trial, and its model
importance        read a study file, and compute which settings mattered
"""

from alsatian.tuning.search import tune
from alsatian.tuning.study import Study, Trial

__all__ = ["Study", "Trial", "tune"]
