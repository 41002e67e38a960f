"""How good models are on values that they have not seen.

measures.py    the measures by name, and which of them are asked for
judging.py     one model on one split: sums of errors and scores of lists, user by user
bootstrap.py   intervals and paired differences, by drawing users anew
comparing.py   evaluate: several models and splits side by side
result.py      Evaluation: the table
"""

from alsatian.evaluation.comparing import evaluate
from alsatian.evaluation.judging import ndcg, rmse
from alsatian.evaluation.result import Evaluation

__all__ = ["Evaluation", "evaluate", "ndcg", "rmse"]
