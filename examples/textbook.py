"""The textbook's ALS on the small MovieLens set: learning curves by rank and by regularization.

python examples/textbook.py [FOLDER]    (where the pictures go)

The formula solves each user from the items that they rated, and each item from its users (Koren, Bell and Volinsky
2009). The sums are over the items that user u rated:

    x_u = (sum of y_i y_i' + reg I)^-1 (sum of r_ui y_i)

A common shortcut takes the Gram matrix Y'Y of all items instead: one inverse for all users, and every empty cell counts
as a rating of 0. Both are the same model here, and both are evaluated on cells that have a rating.
"""

import sys
from pathlib import Path

import alsatian as al

TEXTBOOK = {"biases": False, "reg_exponent": 0, "epochs": 15, "accelerate": False, "solver": "cholesky"}


def main(folder: Path) -> None:
    parts = al.split.per_user(al.datasets.load("movielens-small"), n=10, seed=0)

    def curves(name: str, settings: list[dict[str, float]], names: list[str] | None = None) -> None:
        learning_curves = al.LearningCurves(parts.held_out)
        for point in settings:
            al.ExplicitALS(**TEXTBOOK | point).fit(parts.train, callbacks=[learning_curves])
        learning_curves.plot(folder / f"{name}.png", names=names)
        for fit, point in enumerate(settings):
            best, last = learning_curves.best(fit), learning_curves.fits[fit].rows[-1]
            print(
                f"{name}: {point}: RMSE held out {best['validation_rmse']:.3f} after epoch {best['epoch']}, "
                f"{last['validation_rmse']:.3f} at the end, where {last['train_rmse']:.3f} on the training part"
            )

    curves("rank", [{"factors": rank, "reg": 5} for rank in (2, 5, 10, 20, 40)])
    curves("regularization", [{"factors": 10, "reg": reg} for reg in (0.1, 1, 5, 10, 20)])
    formula, shortcut = {"factors": 10, "reg": 5}, {"factors": 10, "reg": 5, "unobserved_weight": 1}
    curves("shortcut", [formula, shortcut], ["rated cells only", "Gram matrix of all"])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
