"""Lists of popular and of little-known items: a blend of matrix factorization and item neighbors.

python examples/popular_and_unknown.py "Iron Man (2008)"
"""

import sys

import alsatian as al


def main(favorites: list[str]) -> None:
    likes = al.datasets.load("movielens-small").binarize(4)
    split = al.split.per_user(likes, n=10, seed=0)
    blend = al.Blend(members=[al.ImplicitALS(), al.ItemKNN()])  # weights are chosen on a validation part
    blend.fit(split.train)
    print(f"{blend.fit_note}; lists of ten for {len(split.train.user_ids)} users:\n")

    held_out = split.held_out.by_user
    counts, users = split.train.item_counts, len(split.train.user_ids)
    print("novelty  bits  in some list  NDCG@10")
    for novelty in (0, 0.25, 0.5, 0.75, 1):
        best = blend.recommend(n=10, novelty=novelty).rows.reshape(-1, 10)
        bits = al.metrics.novelty(best, counts, users).mean()
        coverage = al.metrics.coverage(best, len(counts))
        ndcg = al.metrics.ndcg(al.metrics.hits(best, held_out), held_out.counts)
        print(f"{novelty:7} {bits:5.2f} {coverage:13.1%} {ndcg[held_out.counts > 0].mean():8.3f}")

    blend.fit(likes)  # on everything, for use
    visitor = blend.fold_in(favorites)
    for novelty, words in ((0, "the best"), (0.5, "the best of the little-known")):
        print(f"\n{words}, novelty={novelty}:")
        print(visitor.recommend(n=10, novelty=novelty))


if __name__ == "__main__":
    main(sys.argv[1:] or ["Iron Man (2008)"])
