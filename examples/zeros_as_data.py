"""Empty cells as zeros, or left out: alternating least squares beside gradient descent with biases, on MovieLens 100K.

python examples/zeros_as_data.py ml-100k              # the folder with u.data and u.item
python examples/zeros_as_data.py ml-100k 5 10         # only these numbers of factors

Ten ratings of each user are the test part, ten more are for choosing the settings. The first model takes an empty cell
for a rating of 0 and so predicts ratings far too low; the second learns from the ratings alone. Both find similar
films. Learning curves go to learning_curves.png if matplotlib is there.
"""

import sys
from importlib.util import find_spec

import alsatian as al

FILMS = ["Toy Story (1995)", "GoldenEye (1995)", "Star Wars (1977)", "Scream (1996)", "Fargo (1996)"]
EPOCHS = (1, 2, 5, 10, 20, 50)
Curve = list[tuple[float, float]]  # the errors on the training and the held-out part, for each of EPOCHS


def zeros_as_data(factors: int, reg: float, epochs: int) -> al.ExplicitALS:
    return al.ExplicitALS(factors=factors, reg=reg, epochs=epochs, biases=False, unobserved_weight=1, reg_exponent=0)


def sgd_with_biases(factors: int, reg: float, epochs: int) -> al.BiasedMF:
    return al.BiasedMF(
        factors=factors, reg=reg, bias_reg=reg, epochs=epochs, reg_exponent=1, learning_rate=0.01, schedule="constant"
    )


def mse(model: al.ExplicitALS | al.BiasedMF, part: al.Interactions) -> float:
    return al.metrics.rmse(model.predict_rows(part.users, part.items), part.values) ** 2


def curve(make, factors: int, reg: float, split: al.Split) -> Curve:
    """Return the errors on the training and the held-out part after so many epochs: a fit for each."""
    models = (make(factors, reg, epochs).fit(split.train, progress=False) for epochs in EPOCHS)
    return [(mse(model, split.train), mse(model, split.held_out)) for model in models]


def study(
    name: str, make, grid: list[tuple[int, float]], split: al.Split
) -> tuple[al.Model, list[tuple[float, float]]]:
    """Search a grid inside the training part, show the best settings' curve, and fit them on all of that part."""
    inner = al.split.per_user(split.train, n=10, seed=1)
    errors = {
        (factors, reg, epochs): error
        for factors, reg in grid
        for epochs, (_, error) in zip(EPOCHS, curve(make, factors, reg, inner), strict=True)
    }
    factors, reg, epochs = min(errors, key=errors.__getitem__)
    model = make(factors, reg, epochs).fit(split.train, progress=False)
    print(f"{name}: {factors} factors, reg {reg:g}, {epochs} epochs; MSE {mse(model, split.held_out):.3f}")
    return model, curve(make, factors, reg, split)


def draw(curves: dict[str, Curve], target: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, both = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axes, (name, points) in zip(both, curves.items(), strict=True):
        for part, errors in zip(("training part", "held out"), zip(*points, strict=True), strict=True):
            axes.plot(EPOCHS, errors, marker="o", label=part)
        axes.set(title=name, xlabel="epochs", ylabel="mean squared error", xscale="log", ylim=(0, None))
        axes.set_xticks(EPOCHS, EPOCHS)
        axes.legend()
    figure.savefig(target, dpi=150)


def main(folder: str, factors: list[int]) -> None:
    ratings = al.read(folder)
    split = al.split.per_user(ratings, n=10, seed=0)
    print(f"{ratings}; {len(split.held_out):,} held out")
    curves = {}
    for name, make, regs in (
        ("zeros as data, ALS", zeros_as_data, (0.1, 1, 10, 100)),
        ("biases and SGD", sgd_with_biases, (0.01, 0.05, 0.1)),
    ):
        model, curves[name] = study(name, make, [(k, reg) for k in factors for reg in regs], split)
        for film in FILMS:
            titles = (row.title for row in model.similar(film, n=5))
            print(f"  like {film}: {', '.join(titles)}")
    if find_spec("matplotlib"):
        draw(curves, "learning_curves.png")
        print("written: learning_curves.png")


if __name__ == "__main__":
    main(sys.argv[1], [int(number) for number in sys.argv[2:]] or [5, 10, 20, 40, 80])
