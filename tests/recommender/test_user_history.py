"""Raw rows of a visitor become values as those of users did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Recipe
from alsatian.data.weighting import SECONDS_PER_DAY
from alsatian.errors import AlsatianError, DataError, ParameterError, RowsError, UnknownItem
from alsatian.ingest import read
from alsatian.models import BiasModel, ImplicitALS, Model
from alsatian.persistence import container, save_load

NAMES = ["VIEW", "LIKE", "BUY"]
RECIPES = {
    "events": Recipe(events={"VIEW": 1, "LIKE": 2, "BUY": 4}),
    "largest, ignoring one": Recipe(events={"VIEW": 1, "BUY": 4}, unknown_events="ignore", duplicates="max"),
    "last, at a weight": Recipe(events={"VIEW": 1}, unknown_events=7, duplicates="last"),
    "age": Recipe(events={"VIEW": 1, "LIKE": 2, "BUY": 4}, half_life="5d", confidence="log"),
    "core and bm25": Recipe(events=dict.fromkeys(NAMES, 1), min_per_user=9, min_per_item=9, confidence="bm25"),
    "bm25 of items": Recipe(events=dict.fromkeys(NAMES, 1), confidence="bm25", length="item"),
    "likes that fade": Recipe(events={"VIEW": 1, "LIKE": 2, "BUY": 4}, min_rating=3, half_life=9),
    "signals": Recipe(signals={"clicks": 1, "seconds": 0.5}, duplicates="mean"),
    "ranks": Recipe(signals={"clicks": 1, "seconds": 0.5}, normalize="rank", half_life="1w"),
}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("log") / "log.csv"
    rows = (
        f"u{rng.integers(20):02},i{rng.integers(12):02},{rng.choice(NAMES)},"
        f"{10**9 + rng.integers(30 * SECONDS_PER_DAY)},{rng.integers(9)},{rng.exponential():.3f}\n"
        for _ in range(400)
    )
    path.write_text("who,itemId,event,timestamp,clicks,seconds\n" + "".join(rows))
    return path


def rows_of(path: Path, user: str) -> list[dict[str, Any]]:
    """Return the raw rows of a user as a service would get them."""
    names, *lines = (line.split(",") for line in path.read_text().splitlines())
    types = [str, str, str, int, float, float]
    return [
        {name: kind(cell) for name, kind, cell in zip(names, types, line, strict=True)}
        for line in lines
        if line[0] == user
    ]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_raw_rows_of_a_user_give_her_own_values_and_list(log: Path, recipe: Recipe) -> None:
    data = read(log, user="who", value="", recipe=recipe)
    model = ImplicitALS(factors=4, epochs=3).fit(data, progress=False)
    for user in data.user_ids.take(range(0, len(data.user_ids), 5)):
        names = {"who", "itemId", "timestamp", *(recipe.signals or ("event",))}
        raw = [{name: row[name] for name in row if name in names} for row in rows_of(log, str(user))]
        visitor = model.fold_in(raw, unknown="skip")
        items, values = data.by_user.row(data.user_ids.row(user))
        assert visitor.batch.histories.indices.tolist() == items.tolist()
        np.testing.assert_allclose(visitor.batch.histories.values, values, rtol=1e-6)
        assert visitor.recommend(5).items == model.recommend(user, 5).items


@pytest.mark.parametrize("name", ["core and bm25", "bm25 of items"])
def test_what_bm25_counts_of_items_is_an_array_of_the_file(log: Path, tmp_path: Path, name: str) -> None:
    model = ImplicitALS(factors=2).fit(read(log, user="who", value="", recipe=RECIPES[name]), progress=False)
    save_load.save(model, tmp_path / "log.model")
    header, arrays = container.read_container(tmp_path / "log.model")
    assert set(header["recipe"]["fitted"]["bm25"]) == {"average", "count"}
    assert len(arrays["recipe.item_counts"]) == len(model.data.item_ids)
    item = model.data.item_ids.id_of(0)
    assert values(save_load.load(tmp_path / "log.model"), {item: "VIEW"}) == values(model, {item: "VIEW"})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ImplicitALS:
    path = tmp_path_factory.mktemp("small") / "log.csv"
    path.write_text(
        "user,item,event,time\nann,up,VIEW,1000000000\nann,heat,LIKE,1000864000\nbob,up,VIEW,1000864000\n"
        "bob,iron,LIKE,1000000000\n"
    )
    return ImplicitALS(factors=2).fit(read(path, recipe=Recipe(events={"VIEW": 1, "LIKE": 2}, half_life=10)))


def values(model: Model, history: Any, **options: Any) -> dict[str, float]:
    seen = model.fold_in(history, **options).batch.histories
    return dict(zip(model.data.item_ids.take(seen.indices), seen.values.tolist(), strict=True))  # type: ignore[arg-type]


class TestForms:
    @pytest.mark.parametrize(
        "history",
        [
            {"up": "VIEW", "iron": "LIKE"},
            [("up", "VIEW"), ("iron", "LIKE")],
            [("up", "VIEW", None), ("iron", "LIKE", 1000864000)],
            [{"item": "up", "event": "VIEW"}, {"item": "iron", "event": "LIKE", "time": "2001-09-19T02:00:00"}],
            ["up", ("iron", 2)],
            {"up": 1, "iron": 2.0},
        ],
    )
    def test_they_say_the_same(self, model: ImplicitALS, history: Any) -> None:
        assert values(model, history) == {"up": 1, "iron": 2}

    def test_rows_of_an_item_are_combined_and_age(self, model: ImplicitALS) -> None:
        assert values(model, [("up", "VIEW"), ("up", "LIKE", 1000000000), ("up", "LIKE")]) == {"up": 4}

    def test_a_mapping_names_each_item_once(self, ratings: Interactions) -> None:
        fitted = ImplicitALS(factors=2).fit(ratings.binarize(4))
        assert values(fitted, {"iron": 4, "Iron Man (2008)": 5}) == {"iron": 1}

    @pytest.mark.parametrize(
        ("history", "kind", "words"),
        [
            (
                [("up", "LIKED")],
                DataError,
                r"event 'LIKED' has no weight; choose VIEW, LIKE. Did you mean 'LIKE'",
            ),
            ([("up", "LIKE", "soon")], ParameterError, "time='soon' is not a date or time; write a date"),
            ([("up", "LIKE", 3, 4)], ParameterError, r"\('up', 'LIKE', 3, 4\) is not a valid history row"),
            (
                [{"item": "up", "evnt": "LIKE"}],
                ParameterError,
                r"'evnt' is not a field of a history row; .* Did you mean 'event'\?",
            ),
            ([{"event": "LIKE"}], ParameterError, r"has no item; pass \{'item'"),
            ([("up", float("nan"))], DataError, "the value nan of 'up' is not a finite number"),
            ([("cars", "LIKE")], UnknownItem, "no item 'cars'"),
        ],
    )
    def test_what_cannot_be_read(self, model: ImplicitALS, history: Any, kind: type[AlsatianError], words: str) -> None:
        with pytest.raises(kind, match=words) as raised:
            model.fold_in(history)
        assert "\n" not in str(raised.value)

    def test_unknown_items_follow_a_word(self, model: ImplicitALS) -> None:
        assert values(model, [("cars", "LIKE"), ("up", "LIKE")], unknown="skip") == {"up": 2}
        with pytest.raises(DataError, match="the history has no usable item"):
            model.fold_in(["cars"], unknown="skip")
        with pytest.raises(ParameterError, match="unknown='drop' is not valid; choose 'raise' or 'skip'"):
            model.fold_in(["up"], unknown="drop")  # type: ignore[arg-type]

    def test_models_that_weigh_no_events_say_so(self, ratings: Interactions) -> None:
        fitted = ImplicitALS(factors=2).fit(ratings)
        with pytest.raises(DataError, match="event 'LIKE' of 'up' is not valid: this model has no event weights; pass"):
            fitted.fold_in({"up": "LIKE"})
        with pytest.raises(RowsError, match="has an item twice"):
            fitted.fold_in([("up", 3), ("up", 4)])

    def test_signals_are_all_needed(self, log: Path) -> None:
        fitted = ImplicitALS(factors=2).fit(read(log, user="who", recipe=RECIPES["signals"]))
        with pytest.raises(DataError, match="'i00' has no 'seconds'; values are computed from clicks, seconds, so"):
            fitted.fold_in([{"item": "i00", "clicks": 3}])


@pytest.mark.parametrize("unit", [1, 1000, 10**6, 10**9])
def test_times_are_read_in_any_unit(log: Path, unit: int) -> None:
    data = read(log, user="who", value="", recipe=RECIPES["age"])
    model = ImplicitALS(factors=2, epochs=1).fit(data, progress=False)
    rows = [
        {"item": row["itemId"], "event": row["event"], "time": int(row["timestamp"]) * unit}
        for row in rows_of(log, "u03")
    ]
    visitor = model.fold_in(rows)
    items, values = data.by_user.row(data.user_ids.find("u03"))
    assert visitor.batch.histories.indices.tolist() == items.tolist()
    assert visitor.batch.histories.values == pytest.approx(values, rel=1e-6)


def test_a_favorite_is_worth_the_top_of_values_that_a_recipe_made(log: Path) -> None:
    data = read(log, user="who", value="", recipe=RECIPES["age"])
    visitor = BiasModel().fit(data, progress=False).fold_in(["i03"])
    assert visitor.batch.histories.values.tolist() == [np.float32(data.scale[1])]


def test_a_signal_that_is_missing_is_named(log: Path) -> None:
    model = ImplicitALS(factors=2, epochs=1).fit(read(log, user="who", recipe=RECIPES["signals"]), progress=False)
    with pytest.raises(DataError, match="the clicks None of 'i03' is not a finite number"):
        model.fold_in([{"item": "i03", "clicks": None, "seconds": 3}])
