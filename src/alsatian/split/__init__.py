"""Parts of the data by a named protocol: to learn from one, to choose by another, and to judge on the last.

Every protocol warns (SplitWarning) of what would leak, or cannot be judged, in the parts that it made; the sentences
stay in `split.warnings`. The same functions in `alsatian.split.values`, `people` and `papers` say nothing.

>>> from alsatian import samples
>>> parts = per_user(samples.load("movielens-small"), n=10, seed=0)
>>> parts.name
'per-user:10'
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from alsatian.split import papers, people, values
from alsatian.split.naming import named
from alsatian.split.parts import Split, SplitWarning

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


random = _warned(values.random)
per_user = _warned(values.per_user)
leave_one_out = _warned(values.leave_one_out)
by_time = _warned(values.by_time)
rolling = _warned(values.rolling)
folds = _warned(values.folds)
strong = _warned(people.strong)
user_folds = _warned(people.user_folds)
liang2018 = _warned(papers.liang2018)
movielens_folds = _warned(papers.movielens_folds)

__all__ = [
    "Split", "SplitWarning", "by_time", "folds", "leave_one_out", "liang2018", "movielens_folds", "named", "per_user",
    "random", "rolling", "strong", "user_folds",
]  # fmt: skip
