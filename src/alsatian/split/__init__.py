"""Split data by a protocol into parts for training, for choosing settings and for evaluation.

Each function emits a SplitWarning about leaks between the parts and about held-out values of cold users or items. The
same sentences are in `split.warnings`. The wrapped functions of `holdout`, `strong_generalization` and
`published_splits` do not warn.

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
from alsatian.split.spec import from_spec
from alsatian.split.split import Split, SplitWarning

ProtocolParams = ParamSpec("ProtocolParams")
SplitOrSplits = TypeVar("SplitOrSplits", Split, list[Split])


def _with_warnings(protocol: Callable[ProtocolParams, SplitOrSplits]) -> Callable[ProtocolParams, SplitOrSplits]:
    """Return the protocol as a function that emits the warnings of its splits, as one SplitWarning per call at most."""

    @wraps(protocol)
    def protocol_with_warnings(*args: ProtocolParams.args, **kwargs: ProtocolParams.kwargs) -> SplitOrSplits:
        result = protocol(*args, **kwargs)
        splits = result if isinstance(result, list) else [result]
        if (warned_split := next((split for split in splits if split.warnings), None)) is not None:
            warnings.warn(f"{warned_split.label}: {' '.join(warned_split.warnings)}", SplitWarning, stacklevel=2)
        return result

    return protocol_with_warnings


random = _with_warnings(holdout.split_random)
per_user = _with_warnings(holdout.split_per_user)
leave_one_out = _with_warnings(holdout.split_leave_one_out)
by_time = _with_warnings(holdout.split_by_time)
rolling = _with_warnings(holdout.split_rolling)
k_fold = _with_warnings(holdout.split_folds)
new_users = _with_warnings(strong_generalization.split_users)
new_user_folds = _with_warnings(strong_generalization.split_user_folds)
liang2018 = _with_warnings(published_splits.split_liang2018)
movielens_folds = _with_warnings(published_splits.split_movielens_folds)

__all__ = [
    "Split", "SplitWarning", "by_time", "from_spec", "k_fold", "leave_one_out", "liang2018", "movielens_folds",
    "new_user_folds", "new_users", "per_user", "random", "rolling",
]  # fmt: skip
