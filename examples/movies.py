"""A movie recommender from start to end: evaluate two models on held-out ratings, then recommend to a new visitor.

python examples/movies.py "Iron Man (2008)" "Up (2009)"
"""

import sys

import alsatian as al


def main(favorites: list[str]) -> None:
    ratings = al.datasets.load("movielens-small")
    print(ratings)

    split = al.split.per_user(ratings, n=10, seed=0)  # before any fit
    print(al.evaluate([al.ExplicitALS(), al.ImplicitALS()], split, min_rating=4))  # ratings of 4 and more are likes

    model = al.ImplicitALS().fit(ratings.binarize(4))  # on everything, for use
    visitor = model.fold_in(favorites)
    print(visitor.recommend(n=10, reasons=True))
    print(model.similar(favorites[0], n=5, where="year >= 2000"))


if __name__ == "__main__":
    main(sys.argv[1:] or ["Iron Man (2008)"])
