"""A fit on Spark is the fit of one machine, whatever the partitions, and whatever is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.models import Model
from alsatian.recommender.fit_run import Epoch
from support.cases import arrays, plain_answers
from support.spark_session import as_frame

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]
PLAIN = al.ExplicitALS(factors=4, epochs=2, biases=False)  # few jobs
CASES = {
    "explicit": al.ExplicitALS(factors=6, epochs=3),
    "implicit, by cg": al.ImplicitALS(factors=40, epochs=2),
    "non-negative": al.ExplicitALS(factors=5, epochs=1, nonnegative=True),
}
SLOW = [pytest.param(case, marks=pytest.mark.slow) for case in list(CASES)[1:]]


def again(model: Any) -> Any:
    return type(model)(**model.params)


def assert_alike(model: Model, other: Model, rel: float = 1e-3) -> None:
    assert model.data.digest == other.data.digest
    assert [epoch.objective for epoch in model.history] == pytest.approx([e.objective for e in other.history], rel=rel)
    for name in model.state_arrays:
        if (mine := getattr(model, name)) is not None:
            theirs = getattr(other, name)
            assert mine.dtype == theirs.dtype
            assert np.linalg.norm(mine - theirs) <= rel * np.linalg.norm(theirs), name


@pytest.mark.parametrize("case", ["explicit", *SLOW])
def test_it_is_the_model_of_one_machine(case: str, spark: Any, some_ratings: Interactions) -> None:
    alone = again(CASES[case]).fit(some_ratings, progress=False)
    model = al.spark.fit(again(CASES[case]), as_frame(spark, some_ratings), blocks=5, progress=False)
    assert_alike(model, alone)
    assert model.recommend(5).items == alone.recommend(5).items
    assert model.fold_in({3: 5, 4: 1}).recommend(9).items == alone.fold_in({3: 5, 4: 1}).recommend(9).items


@pytest.mark.slow
def test_partitions_and_connect_do_not_change_a_bit(spark: Any, connect: Any, some_ratings: Interactions) -> None:
    first = al.spark.fit(again(PLAIN), as_frame(spark, some_ratings, 1), blocks=9, partitions=1)
    for session, partitions in ((spark, 7), (connect, 2)):
        other = al.spark.fit(again(PLAIN), as_frame(session, some_ratings, partitions), blocks=9, partitions=partitions)
        assert arrays(other) == arrays(first)


@pytest.mark.slow
def test_a_large_side_is_sent_in_parts(spark: Any, some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    from alsatian.spark import factor_blocks

    monkeypatch.setattr(factor_blocks, "MAX_BROADCAST_BYTES", 0)
    model = al.ImplicitALS(factors=40, epochs=1)
    alone = again(model).fit(some_ratings, progress=False)
    assert_alike(al.spark.fit(model, as_frame(spark, some_ratings), blocks=3), alone)


@pytest.mark.slow
def test_a_fit_goes_on_where_it_was_broken_off(spark: Any, some_ratings: Interactions, tmp_path: Path) -> None:
    frame, folder = as_frame(spark, some_ratings), str(tmp_path / "work")
    whole = al.spark.fit(again(PLAIN), frame, blocks=3)
    seen: list[int] = []

    def breaks(epoch: Epoch) -> None:
        seen.append(epoch.epoch)
        if epoch.epoch == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        al.spark.fit(again(PLAIN), frame, blocks=3, folder=folder, callbacks=[breaks])
    resumed = al.spark.fit(again(PLAIN), frame, blocks=3, folder=folder, callbacks=[lambda e: seen.append(e.epoch)])
    assert seen == [1, 2, 2]
    assert arrays(resumed) == arrays(whole)
    with pytest.raises(ParameterError, match="contains a fit of other data or settings; choose another folder"):
        al.spark.fit(al.ExplicitALS(factors=5, epochs=2), frame, blocks=3, folder=folder)


def test_a_recipe_is_that_of_a_reading(spark: Any) -> None:
    import pyarrow as pa

    rows = {
        "user": ["anna", "anna", "Émile", "bob", "bob", "bob", "anna", "Émile"],
        "item": ["b", "a", "a", "b", "b", "c", "b", "c"],
        "event": ["VIEW", "LIKE", "VIEW", "VIEW", "LIKE", "VIEW", "VIEW", "OPEN"],
        "time": [1_700_000_000 + 86_400 * day for day in (0, 3, 9, 4, 1, 1, 8, 2)],
    }
    rows["time"][-1] = 1_800_000_000  # of an event that is left out: no age is counted from it
    rows["time"] = [1000.0 * time for time in rows["time"]]  # milliseconds, and no integers
    rules = al.Recipe(events={"VIEW": 1, "LIKE": 2}, unknown_events="ignore", half_life="5d", confidence="log")
    table = pa.table(rows)
    model = al.spark.fit(
        al.ImplicitALS(factors=2, epochs=1), spark.createDataFrame(table), recipe=rules, event="event", blocks=2
    )
    read = al.read(table, recipe=rules, event="event")
    assert model.data.digest == read.digest
    assert model.data.recipe.fitted == read.recipe.fitted
    assert replace(model.data.report, notes=()) == replace(read.report, notes=())
    assert read.report.notes[1] in model.data.report.notes


def test_the_last_of_repeated_ratings_counts_and_titles_come_along(spark: Any) -> None:
    days = {"2020-01-02": 2, "2020-01-03": 5, "2020-01-01": 1}
    rows = ", ".join(f"(1, 'x', {stars}D, TIMESTAMP_NTZ '{day}')" for day, stars in days.items())
    frame = spark.sql(f"VALUES {rows}, (2, 'y', 3D, TIMESTAMP_NTZ '2020-01-01') AS t(user, item, stars, time)")
    films = spark.sql("VALUES ('x', 'Heat'), ('y', 'Up') AS t(item, title)")
    model = al.spark.fit(al.ExplicitALS(factors=1, epochs=1, biases=False), frame, items=films, blocks=1)
    assert model.data.values.tolist() == [5, 3]
    assert model.data.report.combined == 2
    assert model.data.recipe.duplicates == "last"
    assert model.similar("Heat", n=1).items == ["y"]


@pytest.mark.slow
def test_mllib_gives_its_factors(spark: Any, some_ratings: Interactions) -> None:
    model = al.ExplicitALS(factors=4, epochs=11, biases=False, reg_exponent=1, reg=0.1)
    alone = again(model).fit(some_ratings, progress=False)
    al.spark.fit(model, as_frame(spark, some_ratings), blocks=2, method="mllib")
    errors = [float(np.square(m.predict_rows(some_ratings.users, some_ratings.items) - some_ratings.values).mean())
              for m in (model, alone)]  # fmt: skip
    assert errors[0] == pytest.approx(errors[1], rel=0.1)
    assert plain_answers(model.recommend(3))
    with pytest.raises(ParameterError, match="method='mllib' does not support biases=True; pass biases=False"):
        al.spark.fit(al.ExplicitALS(reg_exponent=1), as_frame(spark, some_ratings), method="mllib")
