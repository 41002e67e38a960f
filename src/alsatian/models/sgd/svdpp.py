"""The implicit term of SVD++ (Koren 2008, "Factorization meets the neighborhood", eq. 15).

In addition to x_u, a user has s_u = |N(u)|^-1/2 sum over j in N(u) of z_j, where N(u) are the items of the user. The z
of an item is shared by all users who have the item, in all blocks, so s stays fixed while blocks are processed. The
gradients e y_i of each user's entries are summed, and between rounds z moves once along

    sum over the users u who have j of |N(u)|^-1/2 (summed gradients of u) - reg n_j^reg_exponent z_j
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR

ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8  # as in Kingma and Ba 2015


class SvdppTerm:
    """z and its optimizer, which is always Adam, because the gradients of z vary widely in size.

    rows: the data by user. width: the padded number of factors. reg_exponent, reg: the regularization of z.
    factors (items, width): z. sums (users, width): s. slopes (users, width): the summed gradients of the users.
    """

    def __init__(self, rows: CSR, width: int, reg_exponent: float, reg: float, threads: int) -> None:
        self.by_user, self.by_item, self.threads = rows, rows.transpose(), threads
        self.scale = inverse_sqrt_counts(rows.counts)
        self.ridge = np.float32(reg) * self.by_item.counts.astype(np.float32) ** np.float32(reg_exponent)
        self.factors, self.first_moment, self.second_moment = np.zeros((3, rows.n_columns, width), np.float32)
        self.sums, self.slopes = np.zeros((2, rows.n_rows, width), np.float32)
        self.steps = 0

    def step(self, rate: float, share: float) -> None:
        """Move z along the summed gradients of a share of an epoch, and recompute s. rate: the learning rate of z."""
        slope = kernels.row_sums(*self._structure(self.by_item), self.slopes * self.scale, self.threads)
        slope -= np.float32(share) * self.ridge[:, None] * self.factors
        self.steps += 1
        self.first_moment += np.float32(1 - ADAM_BETA1) * (slope - self.first_moment)
        self.second_moment += np.float32(1 - ADAM_BETA2) * (slope**2 - self.second_moment)
        corrected_first = self.first_moment / (1 - ADAM_BETA1**self.steps)
        corrected_second = self.second_moment / (1 - ADAM_BETA2**self.steps)
        self.factors += np.float32(rate) * corrected_first / (np.sqrt(corrected_second) + np.float32(ADAM_EPSILON))
        self.sums = kernels.row_sums(*self._structure(self.by_user), self.factors, self.threads) * self.scale
        self.slopes[:] = 0

    @staticmethod
    def _structure(rows: CSR) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        return rows.indptr, rows.indices

    def regularization(self) -> float:
        """Return the regularization of z in the loss, the sum over items of reg n^reg_exponent |z|^2."""
        squares = np.einsum("ij,ij->i", self.factors, self.factors, dtype=np.float64)
        return float(self.ridge.astype(np.float64) @ squares)


def inverse_sqrt_counts(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return |N|^-1/2 as a column (rows x 1); 1 for a row without entries."""
    return (1 / np.sqrt(np.maximum(counts, 1)))[:, None].astype(np.float32)
