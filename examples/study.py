"""Ratings factorized by ALS and by gradient descent: grid search, learning curves, and similar films as posters.

python examples/study.py                       # a real sample; the pictures go into this folder
python examples/study.py ml-100k pictures      # any source of ratings with titles, and a folder for the pictures

Ten ratings of each user are the test part, which is used once, at the end. Ten more are for choosing the settings and
for the curves. Posters are those of The Movie Database where TMDB_API_KEY is set, else they are drawn.
"""

import sys
from pathlib import Path

import alsatian as al

GRIDS = {
    "explicit-als": {"epochs": [5, 10, 20], "reg": [0.4, 0.8, 1.6], "factors": [8, 32]},
    "biased-mf": {"epochs": [5, 10, 20, 40], "reg": [0.2, 0.8, 3.2], "factors": [8, 32]},
}
FILMS = ["Toy Story (1995)", "GoldenEye (1995)", "Star Wars (1977)", "Scream (1996)", "Fargo (1996)"]


def main(source: str | None, folder: Path) -> None:
    ratings = al.datasets.load("movielens-small") if source is None else al.read(source)
    parts = al.split.per_user(ratings, n=10, seed=0)
    inner = al.split.per_user(parts.train, n=10, seed=1)
    folder.mkdir(parents=True, exist_ok=True)

    studies = [
        al.tune(name, parts.train, space=grid, sampler="grid", split="per-user:10", seed=1)
        for name, grid in GRIDS.items()
    ]
    curves = al.LearningCurves(inner.held_out)
    for study in studies:
        print(study)
        study.model.fit(inner.train, callbacks=[curves])
    curves.plot(folder / "curves.png", names=list(GRIDS))

    models = [study.model for study in studies]
    print(al.evaluate(models, parts, metrics=["rmse", "mae"], baseline="bias"))

    posters = al.posters.Posters()
    films = [film for film in FILMS if film in ratings.catalog.titles] or ratings.catalog.titles[:5]
    for name, model in zip(GRIDS, models, strict=True):
        model.fit(ratings)
        page = al.posters.page([model.similar(film, n=5) for film in films], posters)
        (folder / f"similar-{name}.html").write_text(page)
    print(f"written: {folder}/curves.png, {', '.join(f'similar-{name}.html' for name in GRIDS)}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else None, Path(arguments[1] if len(arguments) > 1 else "."))
