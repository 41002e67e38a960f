"""ExplicitALS: matrix factorization of ratings, which predicts ratings."""

from __future__ import annotations

from typing import ClassVar

from alsatian.errors import ParameterError
from alsatian.kernels import Weighting
from alsatian.models.als.base import ALS
from alsatian.models.als.half_problem import DataSummary
from alsatian.recommender.hyperparameters import param


class ExplicitALS(ALS):
    """Learns user and item factors and biases by alternating least squares; use it to predict ratings.

    For recommendation lists, ImplicitALS on likes ranks far better.

    Loss (Zhou et al. 2008, "Large-scale parallel collaborative filtering for the Netflix prize"; biases as in Koren
    et al. 2009, eq. 5), where c is the weight of a value (1 without weights), m the mean, and n the number of a row's
    values:

        sum of c (value - m - b_u - b_i - x_u.y_i)^2
            + reg sum_u n_u^reg_exponent (|x_u|^2 + b_u^2) + reg sum_i n_i^reg_exponent (|y_i|^2 + b_i^2)

    With `unobserved_weight` above 0 (and biases=False) cells without a rating count as zeros with this weight.

    With `nonnegative` no factor is below 0, so factors can be read as parts that a user or an item has more or less of.
    Mean and biases can have either sign. Non-negative matrix factorization (Lee and Seung 1999, "Learning the parts of
    objects by non-negative matrix factorization") is biases=False, reg=0 for the known cells alone (some reg is
    better). With unobserved_weight=1 it is that of the whole matrix, with zeros in the empty cells.

    Learned: user_factors (users, factors), item_factors (items, factors), user_bias, item_bias, mean.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch, in multiply-adds: solved exactly, values x factors^2 + (users + items) x factors^3 / 6. With s
    steps of conjugate gradient, 4 (s + 1) x values x factors. With `nonnegative`, values x factors^2 + s x (users +
    items) x factors^2, where s is the number of rounds of coordinate descent, some tens. Memory: the data twice (by
    user and by item), at 8 bytes an entry, plus the factors.

    >>> model = ExplicitALS(factors=16, reg=0.1, reg_exponent=1)
    """

    predicts_ratings: ClassVar[bool] = True
    factors: int = param(
        default=64,
        doc="number of factors per user and item (0: only mean and biases)",
        low=0,
        search=(8, 256, "log"),
    )
    reg: float = param(default=0.8, doc="strength of regularization", low=0, search=(0.01, 3, "log"))
    biases: bool = param(default=True, doc="learn the mean and a bias of each user and item")
    reg_exponent: float = param(
        default=0.6, doc="regularization grows with the number of values to this power (1: as in Spark)", low=0, high=2
    )
    unobserved_weight: float = param(default=0.0, doc="weight of cells without a value, which count as zeros", low=0)

    def _check_params(self) -> None:
        super()._check_params()
        if self.unobserved_weight > 0 and self.biases:
            raise ParameterError(
                f"unobserved_weight={self.unobserved_weight:g} counts empty cells as zeros, which biases do not "
                "support; pass biases=False."
            )
        if self.factors == 0 and not self.biases:
            raise ParameterError("factors=0 without biases leaves nothing to learn; pass factors=1 or more.")
        if self.factors == 0 and self.nonnegative:
            raise ParameterError("nonnegative=True has no effect with factors=0; drop it, or pass factors=1 or more.")

    @property
    def biased(self) -> bool:
        """Whether user and item biases are learned (`biases`)."""
        return self.biases

    def global_mean(self, totals: DataSummary) -> float:
        """Return the mean of the values, or 0 without biases."""
        return totals.mean if self.biases else 0.0

    def initial_score(self, totals: DataSummary) -> float:
        """Return 0 with biases, else the weighted mean of all cells that count."""
        if self.biases:
            return 0.0
        empty = totals.users * totals.items - totals.values
        return totals.total / (totals.values + self.unobserved_weight * empty)

    def weighting(self, mean: float) -> Weighting:
        """Return c = 1 (or the weight), t = value - mean, and w0 = `unobserved_weight`."""
        return Weighting(0.0, 1.0, 1.0, -mean, self.unobserved_weight)
