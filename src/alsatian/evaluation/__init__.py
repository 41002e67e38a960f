"""Evaluate models on held-out values.

metric_registry     the metrics by name, and which of them are requested
score_model         one model on one split: sums of errors and scores of lists, by user
bootstrap           confidence intervals and paired differences, by resampling users
aggregate           the scores of several splits, averaged
epoch_metrics       metrics after each epoch of a fit
learning_curves     LearningCurves: these metrics as plots
compare             evaluate: several models and splits side by side
results             Evaluation: the table
"""

from alsatian.evaluation.compare import evaluate
from alsatian.evaluation.results import Evaluation
from alsatian.evaluation.score_model import ndcg, rmse

__all__ = ["Evaluation", "evaluate", "ndcg", "rmse"]
