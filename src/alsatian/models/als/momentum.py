"""Momentum for alternating least squares: fewer epochs to the same objective."""

from __future__ import annotations

from alsatian.kernels import Side


class Momentum:
    """Moves one side on along its last step, before the other side is solved for it.

    With Y_t the solution of epoch t, the other side is solved for Y_t + b (Y_t - Y_{t-1}), where b = s / (s + 2) at the
    s-th such step (Nesterov's sequence; for ALS: Mitchell, Ye and De Sterck 2020, "Nesterov acceleration of
    alternating least squares for canonical tensor decomposition"). Where that raises the objective, `back` restores
    Y_t, from which plain ALS does not raise it, and the sequence begins anew.
    """

    def __init__(self) -> None:
        self.solved: Side | None = None  # Y_t
        self.steps = 0

    def move(self, side: Side) -> None:
        """Move `side`, just solved, in place."""
        before, self.solved = self.solved, Side(side.factors.copy(), None if side.bias is None else side.bias.copy())
        if before is None:
            return
        self.steps += 1
        share = self.steps / (self.steps + 2)
        for array, earlier in zip(side, before, strict=True):
            if array is not None:
                array += array.dtype.type(share) * (array - earlier)

    @property
    def moved(self) -> bool:
        return self.steps > 0

    def back(self, side: Side) -> None:
        """Put `side` back to where it was solved."""
        assert self.solved is not None
        for array, solved in zip(side, self.solved, strict=True):
            if array is not None:
                array[:] = solved
        self.steps = 0
