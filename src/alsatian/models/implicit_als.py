"""ALS on likes, clicks and purchases: ranks what a user is likely to choose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DataError, ParameterError
from alsatian.interactions import Interactions
from alsatian.kernels import Form
from alsatian.models.als import ALS
from alsatian.models.params import param

ALPHA = 2.0
UNOBSERVED = 0.1


class ImplicitALS(ALS):
    """Matrix factorization of implicit feedback: all cells count, observed ones more.

    Loss: the one at the head of `als.py` without biases, in one of three forms of the value v of a pair.

    - "hu" (Hu, Koren and Volinsky 2008, eq. 3): confidence 1 + alpha v, target 1; the others confidence 1, target 0.
    - "rendle" (Rendle, Krichene, Zhang and Koren 2022, eq. 1): v times the squared error of the observed against 1,
      plus unobserved_weight times the square of every score; regularization grows with the counts.
    - "implicit": as the library of that name counts, confidence alpha v, for those who come from there.

    Learned: user_factors (users, factors), item_factors (items, factors).
    Score: about 0 for what a user will not choose and 1 for what she will; only the order means something.
    Cost of an epoch: values x factors^2 + (users + items) x (factors^3 / 3 + factors^2) multiply-adds.

    >>> model = ImplicitALS(factors=64, form="hu", alpha=15)
    """

    factors: int = param(64, "how many numbers describe a user or an item", low=1, search=(8, 256, "log"))
    reg: float = param(20.0, "strength of regularization", low=0, search=(0.1, 100, "log"))
    form: str = param("hu", "of the loss", choices=("hu", "rendle", "implicit"))
    alpha: float | None = param(None, f"confidence of a unit of value, not with rendle (None: {ALPHA:g})", kind=float, low=0, search=(0.1, 100, "log"))
    unobserved_weight: float | None = param(None, f"weight of unobserved cells, rendle only (None: {UNOBSERVED:g})", kind=float, low=0, search=(1e-3, 1, "log"))
    nu: float | None = param(None, "regularization grows with the count to this power (None: 1 for rendle, else 0)", kind=float, low=0, high=2)
    use_values: bool = param(True, "values weigh; else each observed pair counts as 1")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        foreign = "alpha" if self.form == "rendle" else "unobserved_weight"
        if (value := getattr(self, foreign)) is not None:
            own = "unobserved_weight" if self.form == "rendle" else "alpha"
            raise ParameterError(f"{foreign}={value:g} has no effect with form={self.form!r}, which takes {own}; drop it or change form.")

    biased = False

    @property
    def _exponent(self) -> float:
        return self.nu if self.nu is not None else float(self.form == "rendle")

    def _check_values(self, values: NDArray[np.float32]) -> None:
        if self.use_values and (wrong := values <= 0).any():
            raise DataError(
                f"implicit-als takes values as amounts above 0, and {wrong.sum():,} of {len(values):,} are not, such as "
                f"{values[np.argmax(wrong)]:g}; leave such rows out when reading (where=), keep only likes "
                "(likes(at_least=...)), or pass use_values=False."
            )

    def _mean(self, data: Interactions) -> float:
        return 0.0

    def _form(self, mean: float) -> Form:
        slope, one = (1.0, 0.0) if self.use_values else (0.0, 1.0)
        if self.form == "rendle":
            w0 = UNOBSERVED if self.unobserved_weight is None else self.unobserved_weight
            return Form(slope, one + w0, slope, one, w0)
        alpha = ALPHA if self.alpha is None else self.alpha
        base = 1.0 if self.form == "hu" else 0.0
        return Form(alpha * slope, alpha * one + base, alpha * slope, alpha * one + base, 1.0)
