"""Momentum for alternating least squares: fewer epochs for the same objective."""

from __future__ import annotations

from alsatian.kernels import Side


class Momentum:
    """Moves one side further along its last step, before the other side is solved for it.

    With Y_t the solution of epoch t, the other side is solved for Y_t + b (Y_t - Y_{t-1}), where b = s / (s + 2) at the
    s-th such step (Nesterov's sequence; for ALS: Mitchell, Ye and De Sterck 2020, "Nesterov acceleration of
    alternating least squares for canonical tensor decomposition"). If that raises the objective, `undo` restores Y_t,
    from which plain ALS cannot raise it, and restarts the sequence.
    """

    def __init__(self) -> None:
        self.last_solution: Side | None = None  # Y_t
        self.steps = 0

    def move(self, side: Side) -> None:
        """Move a side in place, just after it was solved. The first call only stores the solution."""
        previous = self.last_solution
        self.last_solution = Side(side.factors.copy(), None if side.bias is None else side.bias.copy())
        if previous is None:
            return
        self.steps += 1
        share = self.steps / (self.steps + 2)
        for array, previous_array in zip(side, previous, strict=True):
            if array is not None:
                array += array.dtype.type(share) * (array - previous_array)

    @property
    def is_active(self) -> bool:
        """Whether the side was moved since the start or the last `undo`."""
        return self.steps > 0

    def undo(self, side: Side) -> None:
        """Restore a side, in place, as it was solved, and restart the sequence."""
        assert self.last_solution is not None
        for array, solution in zip(side, self.last_solution, strict=True):
            if array is not None:
                array[:] = solution
        self.steps = 0
