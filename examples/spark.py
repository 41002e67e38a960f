"""The classic system on Spark: tune ALS by held-out ratings, fit the best on all, recommend to a new visitor.

spark-submit --master 'local[4]' examples/spark.py "Iron Man (2008)"
"""

import sys

import numpy as np
import pyarrow as pa

import alsatian as al
from alsatian.spark.session import start_session

GRID = [{"factors": 4, "reg": 0.8}, {"factors": 16, "reg": 0.8}]


def main(favorites: list[str]) -> None:
    spark = start_session()  # the session of spark-submit, or one on this machine
    sample = al.datasets.load("movielens-small")
    columns = {"user": sample.user_ids.take(sample.users), "item": sample.item_ids.take(sample.items)}
    frame = spark.createDataFrame(pa.table(columns | {"rating": sample.values}))
    films = pa.table({"item": sample.item_ids.tolist(), "title": sample.catalog.titles})
    train, held_out = (part.cache() for part in frame.randomSplit([0.8, 0.2], seed=0))
    pairs = held_out.toArrow().to_pydict()

    errors = []
    for settings in GRID:
        model = al.spark.fit(al.ExplicitALS(epochs=5, **settings), train)
        predicted = model.predict(pairs["user"], pairs["item"], unknown="bias", clip=True)
        errors.append(float(np.sqrt(np.mean((predicted - pairs["rating"]) ** 2))))
        print(f"{settings}: RMSE {errors[-1]:.4f}", flush=True)

    best = GRID[int(np.argmin(errors))]
    model = al.spark.fit(al.ExplicitALS(epochs=5, **best), frame, items=films)
    print(f"best: {best}")
    print(model.fold_in(dict.fromkeys(favorites, 5)).recommend(n=10))
    al.save(model, "films.model")  # an ordinary file: serving it needs no Spark


if __name__ == "__main__":
    main(sys.argv[1:] or ["Iron Man (2008)"])
