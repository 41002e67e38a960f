"""How good models are on values that they have not seen.

metric_registry.py    the measures by name, and which of them are asked for
score_model.py     one model on one split: sums of errors and scores of lists, user by user
bootstrap.py   intervals and paired differences, by drawing users anew
compare.py   evaluate: several models and splits side by side
results.py      Evaluation: the table
"""

from alsatian.evaluation.compare import evaluate
from alsatian.evaluation.results import Evaluation
from alsatian.evaluation.score_model import ndcg, rmse

__all__ = ["Evaluation", "evaluate", "ndcg", "rmse"]
