"""ImplicitALS: matrix factorization of likes, clicks and purchases, which ranks items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DataError, ParameterError
from alsatian.kernels import Weighting
from alsatian.models.als.base import ALS
from alsatian.models.als.half_problem import DataSummary
from alsatian.recommender.hyperparameters import SearchRange, param

# Defaults of the settings that depend on the loss. A setting has no effect with a loss that does not list it.
# Chosen by `python -m bench defaults implicit`.
LOSS_DEFAULTS: dict[str, dict[str, float]] = {
    "hu": {"reg": 20.0, "reg_exponent": 0.0, "alpha": 2.0},
    "rendle": {"reg": 0.01, "reg_exponent": 1.0, "unobserved_weight": 0.4},
    "implicit": {"reg": 20.0, "reg_exponent": 0.0, "alpha": 3.0},
}

LOSS_SEARCH_RANGES: dict[str, dict[str, SearchRange]] = {"rendle": {"reg": (1e-4, 1.0, "log")}}  # exceptions


def _describe_defaults(name: str) -> str:
    return ", ".join(f"{loss} {settings[name]:g}" for loss, settings in LOSS_DEFAULTS.items() if name in settings)


class ImplicitALS(ALS):
    """Learns user and item factors from implicit feedback; use it to rank items by likes, clicks or purchases.

    All cells of the matrix count, and observed ones count more.

    Loss, over all user-item pairs:

        sum of c (t - x_u.y_i)^2 + reg sum_u r_u |x_u|^2 + reg sum_i r_i |y_i|^2

        r_u = (n_u + w0 items)^reg_exponent,  r_i = (n_i + w0 users)^reg_exponent

    v is the value of an observed pair, n the number of a row's values, and w0 the weight c of an unobserved pair, whose
    target t is 0.

    - "hu" (Hu, Koren and Volinsky 2008, eq. 3): observed c = 1 + alpha v, t = 1; w0 = 1. By default r = 1.
    - "rendle" (Rendle, Krichene, Zhang and Koren 2022, eq. 1): v times the squared error of an observed score from 1,
      plus unobserved_weight times the square of every score; w0 = unobserved_weight.
    - "implicit": as in the library of that name, observed c = alpha v, t = 1; w0 = 1. Use it when you move from there.

    With `nonnegative` no factor is below 0: a non-negative matrix factorization with these weights. With alpha=0 and
    reg=0 it is the plain one, of a matrix of ones and zeros. The factors can then be read as parts, such as tastes.

    Learned: user_factors (users, factors), item_factors (items, factors).
    Score: about 1 for items that a user would choose and about 0 for others. Only the order is meaningful.
    Cost of an epoch, in multiply-adds: solved exactly, values x factors^2 + (users + items) x factors^3 / 6. With s
    steps of conjugate gradient, 4 (s + 1) x values x factors + (users + items) x (s + 1) x factors^2. With
    `nonnegative`, values x factors^2 + s x (users + items) x factors^2, where s is the number of rounds of coordinate
    descent, some tens.

    >>> model = ImplicitALS(factors=64, loss="hu", alpha=15)
    """

    loss: str = param(default="hu", doc="the loss to minimize", choices=tuple(LOSS_DEFAULTS))
    reg: float | None = param(
        default=None,
        doc=f"strength of regularization ({_describe_defaults('reg')})",
        kind=float,
        low=0,
        search=(0.5, 200, "log"),
    )
    alpha: float | None = param(
        default=None,
        doc=f"confidence per unit of value ({_describe_defaults('alpha')})",
        kind=float,
        low=0,
        search=(0.2, 50, "log"),
    )
    unobserved_weight: float | None = param(
        default=None,
        doc=f"weight of cells without a value ({_describe_defaults('unobserved_weight')})",
        kind=float,
        low=0,
        search=(1e-3, 1, "log"),
    )
    reg_exponent: float | None = param(
        default=None,
        doc=f"regularization grows with the number of values to this power ({_describe_defaults('reg_exponent')})",
        kind=float,
        low=0,
        high=2,
    )
    use_values: bool = param(default=True, doc="use values as weights; else every observed pair has the value 1")

    def _check_params(self) -> None:
        super()._check_params()
        for name in ("alpha", "unobserved_weight"):
            if (value := getattr(self, name)) is not None and name not in LOSS_DEFAULTS[self.loss]:
                losses = [loss for loss, settings in LOSS_DEFAULTS.items() if name in settings]
                raise ParameterError(
                    f"{name}={value:g} has no effect with loss={self.loss!r}; drop it, or pass loss={losses[0]!r}."
                )

    def search_range(self, name: str) -> SearchRange | None:
        """Return the search range of a parameter with this loss, or None if it is not searched."""
        return LOSS_SEARCH_RANGES.get(self.loss, {}).get(name, super().search_range(name))

    def effective_value(self, name: str) -> Any:
        """Return the value of a parameter, or the default of the loss if it is None."""
        value = super().effective_value(name)
        return LOSS_DEFAULTS[self.loss].get(name) if value is None else value

    def validate_values(self, values: NDArray[np.float32]) -> None:
        """Raise DataError for values that are not above 0, unless use_values=False."""
        if self.use_values and (invalid := values <= 0).any():
            raise DataError(
                f"implicit-als requires values above 0, and {invalid.sum():,} of {len(values):,} are not, such as "
                f"{values[np.argmax(invalid)]:g}; drop such rows when reading (where=), keep only likes "
                "(binarize(min_rating=...)), or pass use_values=False."
            )

    def global_mean(self, totals: DataSummary) -> float:
        """Return 0."""
        return 0.0

    def weighting(self, mean: float) -> Weighting:
        """Return how the loss turns a value into a confidence and a target; see the class."""
        slope, constant = (1.0, 0.0) if self.use_values else (0.0, 1.0)
        if self.loss == "rendle":
            w0 = self.effective_value("unobserved_weight")
            return Weighting(slope, constant + w0, slope, constant, w0)
        alpha, base = self.effective_value("alpha"), float(self.loss == "hu")
        return Weighting(alpha * slope, alpha * constant + base, alpha * slope, alpha * constant + base, 1.0)
