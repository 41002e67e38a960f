"""The textbook's ALS on the small MovieLens set: learning curves by rank and by regularization.

python examples/textbook.py [FOLDER]    (where the pictures go)

The formula solves each user by the items that she rated, and each item by its users (Koren, Bell and Volinsky 2009):

    x_u = (sum over her items of y_i y_i' + reg I)^-1 (sum over her items of r_ui y_i)

A common shortcut takes the Gram matrix Y'Y of all items instead: one inverse for all users, and every cell that nobody
rated counts as a rating of 0. Both are the same model here, and both are judged on cells that have a rating.
"""

import sys
from pathlib import Path

import alsatian as al

TEXTBOOK = {"biases": False, "reg_exponent": 0, "epochs": 15, "accelerate": False, "solver": "cholesky"}


def main(folder: Path) -> None:
    parts = al.split.per_user(al.datasets.load("movielens-small"), n=10, seed=0)

    def curves(name: str, settings: list[dict[str, float]], names: list[str] | None = None) -> None:
        drawn = al.LearningCurves(parts.held_out)
        for each in settings:
            al.ExplicitALS(**TEXTBOOK | each).fit(parts.train, callbacks=[drawn])
        drawn.plot(folder / f"{name}.png", names=names)
        for fit, each in enumerate(settings):
            best, last = drawn.best(fit), drawn.fits[fit].rows[-1]
            print(
                f"{name}: {each}: RMSE held out {best['validation_rmse']:.3f} after epoch {best['epoch']}, "
                f"{last['validation_rmse']:.3f} at the end, where {last['train_rmse']:.3f} on what it learned from"
            )

    curves("rank", [{"factors": rank, "reg": 5} for rank in (2, 5, 10, 20, 40)])
    curves("regularization", [{"factors": 10, "reg": reg} for reg in (0.1, 1, 5, 10, 20)])
    formula, shortcut = {"factors": 10, "reg": 5}, {"factors": 10, "reg": 5, "unobserved_weight": 1}
    curves("shortcut", [formula, shortcut], ["rated cells only", "Gram matrix of all"])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
