"""The classic grid search: epochs, regularization and rank of explicit ALS by the error on held-out ratings.

python examples/grid.py            # a real sample; or python examples/grid.py ratings.csv

On the command line the same is

alsatian tune movielens-small --model explicit-als --sampler grid --split random:0.2 --test random:0.1 \\
  --search epochs=5,10,20 --search reg=0.2,0.4,0.8,1.6 --search factors=4,16,32
"""

import sys

import alsatian as al

GRID = {"epochs": [5, 10, 20], "reg": [0.2, 0.4, 0.8, 1.6], "factors": [4, 16, 32]}


def main(source: str | None) -> None:
    ratings = al.datasets.load("movielens-small") if source is None else al.read(source)
    parts = al.split.random(ratings, share=0.1)  # the test part, used once, at the end
    study = al.tune("explicit-als", parts.train, space=GRID, sampler="grid", split="random:0.2")
    print(study)  # twelve fits for 36 points: a fit of 20 epochs also scores 5 and 10
    print(al.evaluate(study.model, parts, metrics=["rmse"]))


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])
