"""Parts of the data by a named protocol: to learn from one, to choose by another, and to judge on the last.

Every protocol warns (SplitWarning) of what would leak, or cannot be judged, in the parts that it made; the sentences
stay in `split.warnings`. The same functions in `alsatian.split.holdout`, `people` and `papers` say nothing.

>>> from alsatian import datasets
>>> parts = per_user(datasets.load("movielens-small"), n=10, seed=0)
>>> parts.name
'per-user:10'
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from alsatian.split import holdout, published_splits, strong_generalization
from alsatian.split.spec import named
from alsatian.split.split import Split, SplitWarning

P = ParamSpec("P")
Parts = TypeVar("Parts", Split, list[Split])


def _warned(protocol: Callable[P, Parts]) -> Callable[P, Parts]:
    """Let a protocol warn, once a call, of what would leak."""

    @wraps(protocol)
    def warned(*args: P.args, **kwargs: P.kwargs) -> Parts:
        made = protocol(*args, **kwargs)
        several = made if isinstance(made, list) else [made]
        if (first := next((each for each in several if each.warnings), None)) is not None:
            warnings.warn(f"{first.label}: {' '.join(first.warnings)}", SplitWarning, stacklevel=2)
        return made

    return warned


random = _warned(holdout.random)
per_user = _warned(holdout.per_user)
leave_one_out = _warned(holdout.leave_one_out)
by_time = _warned(holdout.by_time)
rolling = _warned(holdout.rolling)
folds = _warned(holdout.folds)
strong = _warned(strong_generalization.strong)
user_folds = _warned(strong_generalization.user_folds)
liang2018 = _warned(published_splits.liang2018)
movielens_folds = _warned(published_splits.movielens_folds)

__all__ = [
    "Split", "SplitWarning", "by_time", "folds", "leave_one_out", "liang2018", "movielens_folds", "named", "per_user",
    "random", "rolling", "strong", "user_folds",
]  # fmt: skip
