"""A movie recommender from start to end: judge two models on held-out ratings, then recommend to a new visitor.

python examples/movies.py "Iron Man (2008)" "Up (2009)"
"""

import sys

import alsatian as al


def main(favourites: list[str]) -> None:
    ratings = al.samples.load("movielens-small")
    print(ratings)

    split = al.split.per_user(ratings, n=10, seed=0)  # before any fit
    explicit = al.ExplicitALS().fit(split.train)
    baseline = al.Baseline().fit(split.train)
    print(f"RMSE {al.evaluation.rmse(explicit, split):.3f}, mean and biases {al.evaluation.rmse(baseline, split):.3f}")

    likes = al.Split("likes", split.train.likes(4), split.held_out.likes(4))
    for model in (al.ImplicitALS(), al.Popularity()):
        print(f"{model.name}: NDCG@10 {al.evaluation.ndcg(model.fit(likes.train), likes):.3f}")

    model = al.ImplicitALS().fit(ratings.likes(4))  # on everything, for use
    visitor = model.fold_in(favourites)
    print(visitor.recommend(n=10, because=True))
    print(model.similar(favourites[0], n=5, where="year >= 2000"))


if __name__ == "__main__":
    main(sys.argv[1:] or ["Iron Man (2008)"])
