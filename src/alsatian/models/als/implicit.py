"""ALS on likes, clicks and purchases: ranks the items that a user is likely to choose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DataError, ParameterError
from alsatian.kernels import Weighting
from alsatian.models.als.base import ALS
from alsatian.models.als.half_problem import DataSummary
from alsatian.recommender.hyperparameters import SearchRange, param

# Defaults of the settings that depend on the loss. A setting that a loss does not list has no meaning there.
# Chosen by `python -m bench defaults implicit`.
LOSS_DEFAULTS: dict[str, dict[str, float]] = {
    "hu": {"reg": 20.0, "reg_exponent": 0.0, "alpha": 2.0},
    "rendle": {"reg": 0.01, "reg_exponent": 1.0, "unobserved_weight": 0.4},
    "implicit": {"reg": 20.0, "reg_exponent": 0.0, "alpha": 3.0},
}

LOSS_SEARCH_RANGES: dict[str, dict[str, SearchRange]] = {"rendle": {"reg": (1e-4, 1.0, "log")}}  # where a loss differs


def _describe_defaults(name: str) -> str:
    return ", ".join(f"{loss} {settings[name]:g}" for loss, settings in LOSS_DEFAULTS.items() if name in settings)


class ImplicitALS(ALS):
    """Matrix factorization of implicit feedback: all cells count, observed ones more.

    Loss, over all pairs, for the value v of a pair that was observed:

        sum of c (t - x_u.y_i)^2 + reg sum_u r_u |x_u|^2 + reg sum_i r_i |y_i|^2

    - "hu" (Hu, Koren and Volinsky 2008, eq. 3): c = 1 + alpha v, t = 1; unobserved c = 1, t = 0; r = 1.
    - "rendle" (Rendle, Krichene, Zhang and Koren 2022, eq. 1): v times the squared error of the observed against 1,
      plus unobserved_weight times the square of every score; r_u = n_u + unobserved_weight items, likewise r_i.
    - "implicit": as the library of that name counts, c = alpha v, for users who move from there.

    `reg_exponent` is the power to which that count is raised in r.

    With `nonnegative` no factor is below 0: non-negative matrix factorization under these weights (with alpha=0, reg=0
    the plain one, of ones and zeros). Factors can then be read as parts, such as tastes.

    Learned: user_factors (users, factors), item_factors (items, factors).
    Score: about 0 for items that a user will not choose and 1 for those that they will; only the order has a meaning.
    Cost of an epoch, in multiply-adds: solved exactly values x factors^2 + (users + items) x factors^3 / 6; by s steps
    of conjugate gradient 4 (s + 1) x values x factors + (users + items) x (s + 1) x factors^2; with `nonnegative`
    values x factors^2 + s x (users + items) x factors^2, where s, the rounds of coordinate descent, is some tens.

    >>> model = ImplicitALS(factors=64, loss="hu", alpha=15)
    """

    loss: str = param(default="hu", doc="of the loss", choices=tuple(LOSS_DEFAULTS))
    reg: float | None = param(
        default=None,
        doc=f"strength of regularization ({_describe_defaults('reg')})",
        kind=float,
        low=0,
        search=(0.5, 200, "log"),
    )
    alpha: float | None = param(
        default=None,
        doc=f"confidence of a unit of value ({_describe_defaults('alpha')})",
        kind=float,
        low=0,
        search=(0.2, 50, "log"),
    )
    unobserved_weight: float | None = param(
        default=None,
        doc=f"of cells without a value ({_describe_defaults('unobserved_weight')})",
        kind=float,
        low=0,
        search=(1e-3, 1, "log"),
    )
    reg_exponent: float | None = param(
        default=None,
        doc=f"regularization grows with the count to this power ({_describe_defaults('reg_exponent')})",
        kind=float,
        low=0,
        high=2,
    )
    use_values: bool = param(default=True, doc="values weigh; else each observed pair counts as 1")

    def _check_params(self) -> None:
        super()._check_params()
        for name in ("alpha", "unobserved_weight"):
            if (value := getattr(self, name)) is not None and name not in LOSS_DEFAULTS[self.loss]:
                losses = [loss for loss, settings in LOSS_DEFAULTS.items() if name in settings]
                raise ParameterError(
                    f"{name}={value:g} has no effect with loss={self.loss!r}; drop it, or pass loss={losses[0]!r}."
                )

    def search_range(self, name: str) -> SearchRange | None:
        """Return where to search for a better value of a parameter with this loss, or None."""
        return LOSS_SEARCH_RANGES.get(self.loss, {}).get(name, super().search_range(name))

    def effective_value(self, name: str) -> Any:
        """Return the value of a parameter, or the default of the loss where it is None."""
        value = super().effective_value(name)
        return LOSS_DEFAULTS[self.loss].get(name) if value is None else value

    def validate_values(self, values: NDArray[np.float32]) -> None:
        """Raise DataError for values that are not above 0, unless use_values=False."""
        if self.use_values and (invalid := values <= 0).any():
            raise DataError(
                f"implicit-als takes values as amounts above 0, and {invalid.sum():,} of {len(values):,} are not, such "
                f"as {values[np.argmax(invalid)]:g}; leave such rows out when reading (where=), keep only likes "
                "(binarize(min_rating=...)), or pass use_values=False."
            )

    def global_mean(self, totals: DataSummary) -> float:
        """Return 0."""
        return 0.0

    def weighting(self, mean: float) -> Weighting:
        """Return confidence and target of a value by the loss, see the class."""
        slope, constant = (1.0, 0.0) if self.use_values else (0.0, 1.0)
        if self.loss == "rendle":
            w0 = self.effective_value("unobserved_weight")
            return Weighting(slope, constant + w0, slope, constant, w0)
        alpha, base = self.effective_value("alpha"), float(self.loss == "hu")
        return Weighting(alpha * slope, alpha * constant + base, alpha * slope, alpha * constant + base, 1.0)
