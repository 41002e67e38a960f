"""Ten similar articles from a log of events (CI&T DeskDrop), and a list for a visitor by their last events.

python examples/articles.py users_interactions.csv ["An article, by title or id"]

The same by two commands, with titles where shared_articles.csv lies beside the log:

alsatian train users_interactions.csv -o articles.model --set factors=20 --set reg=0.1 --set epochs=50 --set alpha=15
alsatian similar articles.model -n 10 "An article, by title or id"
"""

import sys

import alsatian as al


def main(source: str, article: str | int | None) -> None:
    model = al.ImplicitALS(factors=20, reg=0.1, epochs=50, alpha=15)

    fading = al.Recipe(half_life="8w", confidence="log", min_per_user=5, min_per_item=5)  # for comparison
    for recipe in (al.Recipe(), fading):
        events = al.read(source, recipe=recipe)  # the weights of this log's events are known
        split = al.split.per_user(events, n=5, seed=0)
        scores = [al.evaluation.ndcg(fitted.fit(split.train), split) for fitted in (model, al.Popularity())]
        print(f"{recipe}: {events}; NDCG@10 {scores[0]:.3f}, popularity {scores[1]:.3f}")

    events = al.read(source)
    print(*events.report.notes, sep="\n")
    model.fit(events)
    article = article or events.item_ids.id_of(int(events.item_counts.argmax()))
    print(model.similar(article, n=10))

    visitor = model.fold_in([(article, "VIEW"), (article, "LIKE")])  # raw rows, by the recipe that the model keeps
    print(visitor.recommend(n=5))


if __name__ == "__main__":
    named = sys.argv[2] if len(sys.argv) > 2 else None
    main(sys.argv[1], int(named) if named and named.lstrip("-").isdigit() else named)
