"""Reading by a recipe: tiny tables whose answer one can see."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Recipe
from alsatian.data.weighting import SECONDS_PER_DAY
from alsatian.errors import AlsatianError, ColumnError, DataError, ParameterError, RowsError
from alsatian.ingest import read

LOG = "user,item,event,time\nann,up,VIEW,100\nann,up,LIKE,200\nann,heat,VIEW,300\nbob,up,VIEW,400\n"
WEIGHTS = {"VIEW": 1, "LIKE": 2}


def write(folder: Path, text: str, name: str = "log.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def pairs(data: Interactions) -> dict[tuple[object, object], float]:
    ids = zip(data.user_ids.take(data.users), data.item_ids.take(data.items), strict=True)
    return dict(zip(ids, data.values.tolist(), strict=True))


def is_whole(data: Interactions) -> bool:
    return len(data) + sum(data.report.skipped.values()) + data.report.combined == data.report.read


class TestEvents:
    def test_they_weigh_and_add_up(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, LOG), recipe=Recipe(events=WEIGHTS))
        assert pairs(data) == {("ann", "up"): 3, ("ann", "heat"): 1, ("bob", "up"): 1}
        assert data.recipe.columns["event"] == "event"
        assert data.report.combined == 1

    @pytest.mark.parametrize(("rule", "value"), [("sum", 3), ("max", 2), ("last", 2), ("mean", 1.5)])
    def test_the_rule_for_repeated_pairs(self, tmp_path: Path, rule: str, value: float) -> None:
        recipe = Recipe(events=WEIGHTS, duplicates=rule)  # type: ignore[arg-type]
        assert pairs(read(write(tmp_path, LOG), recipe=recipe))["ann", "up"] == value

    def test_a_weight_multiplies_the_value_of_its_row(self, tmp_path: Path) -> None:
        path = write(tmp_path, "user,item,what,quantity\nann,up,BUY,2\nann,up,RETURN,1\nbob,up,BUY,3\n")
        data = read(path, event="what", recipe=Recipe(events={"BUY": 1.5, "RETURN": -1}))
        assert pairs(data) == {("ann", "up"): 2, ("bob", "up"): 4.5}

    def test_an_unknown_event_is_named_with_the_nearest(self, tmp_path: Path) -> None:
        path = write(tmp_path, LOG + "bob,heat,Like,500\nbob,iron,Like,600\nbob,iron,SCROLL,700\n")
        with pytest.raises(RowsError) as raised:
            read(path, recipe=Recipe(events=WEIGHTS), bad_rows="skip")
        assert str(raised.value) == (
            "events without a weight in 3 rows of log.csv: 'Like' (2 rows), 'SCROLL' (1 row). "
            "Did you mean 'LIKE'? Add them to events= (--events), "
            "or pass unknown_events='ignore' or a weight (--unknown-events)."
        )

    def test_ignored_events_are_counted_and_their_ids_are_not_there(self, tmp_path: Path) -> None:
        path = write(tmp_path, LOG + "eve,heat,SCROLL,500\n,iron,SCROLL,when\n")
        data = read(path, recipe=Recipe(events=WEIGHTS, unknown_events="ignore"))
        assert data.user_ids.tolist() == ["ann", "bob"]
        assert data.report.skipped == {"left out by events": 2}
        assert "2 rows of events without a weight were left out: 'SCROLL' (2 rows)." in data.report.notes
        assert is_whole(data)

    def test_a_weight_for_the_unknown(self, tmp_path: Path) -> None:
        path = write(tmp_path, LOG + "eve,heat,SCROLL,500\n")
        data = read(path, recipe=Recipe(events=WEIGHTS, unknown_events=0.25))
        assert pairs(data)["eve", "heat"] == 0.25

    def test_an_empty_event_is_a_bad_row(self, tmp_path: Path) -> None:
        path = write(tmp_path, LOG + "eve,heat,,500\n")
        with pytest.raises(RowsError, match="it is line 6: no event, column 'event' is empty"):
            read(path, recipe=Recipe(events=WEIGHTS))

    def test_frames_and_json_lines_too(self, tmp_path: Path) -> None:
        pandas = pytest.importorskip("pandas")
        frame = pandas.read_csv(write(tmp_path, LOG))
        lines = tmp_path / "log.jsonl"
        frame.to_json(lines, orient="records", lines=True)
        digests = {
            read(source, recipe=Recipe(events=WEIGHTS)).digest for source in (frame, lines, tmp_path / "log.csv")
        }
        assert len(digests) == 1

    @pytest.mark.parametrize(
        ("options", "kind", "words"),
        [
            (
                {"recipe": "recipe.toml"},
                ParameterError,
                r"recipe='recipe.toml' is not a recipe; pass al.Recipe\(\.\.\.\), or",
            ),
            (
                {"event": "event"},
                ParameterError,
                r"event='event' has no effect without event weights; .*'LIKE', 'VIEW'",
            ),
            (
                {"item": "time", "event": None, "recipe": Recipe({"event": ""}, events=WEIGHTS)},
                ParameterError,
                "event=''",
            ),
            ({"event": "what", "recipe": Recipe(events=WEIGHTS)}, ColumnError, "has no column 'what' for event="),
            ({"event": "", "recipe": Recipe(events=WEIGHTS)}, ParameterError, "event='' ignores the events"),
            (
                {"recipe": Recipe({"evnt": "x"})},
                ParameterError,
                "columns: 'evnt' is not a role; .* Did you mean 'event'",
            ),
            (
                {"duplicates": "sum", "recipe": Recipe(duplicates="max")},
                ParameterError,
                "duplicates='sum' contradicts the recipe, which says 'max'",
            ),
        ],
    )
    def test_what_cannot_be_done(
        self, tmp_path: Path, options: dict[str, object], kind: type[AlsatianError], words: str
    ) -> None:
        with pytest.raises(kind, match=words):
            read(write(tmp_path, LOG), **options)  # type: ignore[arg-type]

    def test_without_weights_events_are_no_values(self, tmp_path: Path) -> None:
        assert pairs(read(write(tmp_path, LOG)))["ann", "up"] == 2


class TestAge:
    ROWS = "user,item,plays,time\n" + "".join(
        f"{user},{item},{plays},{1_400_000_000 + day * SECONDS_PER_DAY}\n"
        for user, item, plays, day in [
            ("ann", "up", 8, 0),
            ("ann", "up", 4, 20),
            ("ann", "heat", 8, 10),
            ("bob", "up", 8, 20),
        ]
    )

    def test_values_halve_before_they_are_added_up(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(half_life="10d"))
        assert pairs(data) == {("ann", "up"): 6, ("ann", "heat"): 4, ("bob", "up"): 8}
        assert data.recipe.fitted == {"reference": 1_400_000_000 + 20 * SECONDS_PER_DAY}

    def test_ages_count_from_the_reference(self, tmp_path: Path) -> None:
        recipe = Recipe(half_life=10, reference_date=1_400_000_000 + 30 * SECONDS_PER_DAY)
        assert pairs(read(write(tmp_path, self.ROWS), recipe=recipe))["bob", "up"] == 4

    def test_likes_fade_and_thresholds_do_not(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(half_life=10, min_rating=8, duplicates="last"))
        assert pairs(data) == {("ann", "heat"): 0.5, ("bob", "up"): 1}
        assert data.report.skipped == {"left out by min_rating=8": 1}
        assert is_whole(data)

    def test_without_times_there_is_no_age(self, tmp_path: Path) -> None:
        with pytest.raises(ColumnError, match=r"half_life requires times, but log.csv has none; pass time="):
            read(write(tmp_path, self.ROWS), time="", recipe=Recipe(half_life=10))


class TestSignals:
    ROWS = "user,item,clicks,seconds\nann,up,1,10\nann,heat,3,10\nbob,up,2,60\nbob,iron,1,35\n"

    def test_they_are_normalised_weighted_and_added(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(signals={"clicks": 1, "seconds": 0.5}))
        assert pairs(data) == {("ann", "heat"): 1, ("bob", "up"): 1, ("bob", "iron"): 0.25}
        assert data.report.skipped == {"left out by signals of 0": 1}
        assert is_whole(data)
        assert "value" not in data.recipe.columns

    def test_by_rank(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(signals={"clicks": 1}, normalize="rank"))
        assert pairs(data) == {("ann", "up"): 0.25, ("ann", "heat"): 0.875, ("bob", "up"): 0.625, ("bob", "iron"): 0.25}

    def test_new_rows_are_treated_like_the_first(self, tmp_path: Path) -> None:
        first = read(write(tmp_path, self.ROWS), recipe=Recipe(signals={"clicks": 2}))
        path = write(tmp_path, "user,item,clicks,seconds\neve,up,2,9\neve,heat,9,9\n", "new.csv")
        assert pairs(read(path, recipe=first.recipe)) == {("eve", "up"): 1, ("eve", "heat"): 2}
        assert pairs(read(path, recipe=first.recipe.rules_only)) == {("eve", "heat"): 2}

    @pytest.mark.parametrize(
        ("rows", "recipe", "options", "words"),
        [
            ("a,b,1\n", {"click": 1}, {}, r"has no column 'click' for signals=; .* Did you mean 'clicks'\?"),
            ("a,b,1\na,c,1\n", {"clicks": 1}, {}, "signal 'clicks' is 1 in all rows; drop it"),
            ("a,b,1\na,c,x\n", {"clicks": 1}, {}, "line 3: 'clicks' is not a number, column 'clicks' holds 'x'"),
            ("a,b,1\na,c,\n", {"clicks": 1}, {}, "line 3: no 'clicks', column 'clicks' is empty"),
            ("a,b,1\n", {"clicks": 1}, {"value": "clicks"}, "so value='clicks' has no effect"),
        ],
    )
    def test_what_cannot_be_done(
        self, tmp_path: Path, rows: str, recipe: dict[str, float], options: dict[str, str], words: str
    ) -> None:
        with pytest.raises(AlsatianError, match=words):
            read(write(tmp_path, "user,item,clicks\n" + rows), recipe=Recipe(signals=recipe), **options)  # type: ignore[arg-type]


class TestPairs:
    ROWS = "user,item,plays\nann,up,3\nann,up,4\nann,heat,1\nbob,up,1\nbob,heat,1\nbob,iron,1\neve,iron,1\n"

    def test_the_core_drops_ids_and_titles_and_counts_rows(self, tmp_path: Path) -> None:
        items = write(tmp_path, "item,title\nheat,Heat (1995)\niron,Iron Man (2008)\nup,Up (2009)\n", "items.csv")
        data = read(write(tmp_path, self.ROWS), items=items, recipe=Recipe(min_per_user=2, min_per_item=2))
        assert pairs(data) == {("ann", "up"): 7, ("ann", "heat"): 1, ("bob", "up"): 1, ("bob", "heat"): 1}
        assert (data.user_ids.tolist(), data.item_ids.tolist()) == (["ann", "bob"], ["heat", "up"])
        assert data.catalog.titles == ["Heat (1995)", "Up (2009)"]
        assert data.report.skipped == {"left out by min_per_user=2 and min_per_item=2": 2}
        assert "1 user and 1 item with too few values were left out" in data.report.notes[-1]
        assert is_whole(data)

    def test_a_core_of_nothing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"min_per_user=4 removed all data .*; choose a lower minimum"):
            read(write(tmp_path, self.ROWS), recipe=Recipe(min_per_user=4))

    def test_log_comes_after_the_sum(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(confidence="log"))
        assert pairs(data)["ann", "up"] == pytest.approx(math.log(8))
        assert data.scale == pytest.approx((math.log(2), math.log(8)))

    def test_negative_amounts_have_no_confidence(self, tmp_path: Path) -> None:
        path = write(tmp_path, "user,item,plays\nann,up,-3\nbob,up,4\n")
        with pytest.raises(DataError, match="confidence='log' requires values of at least 0, but the smallest is -3"):
            read(path, recipe=Recipe(confidence="log"))

    def test_bm25_counts_belong_to_their_items(self, tmp_path: Path) -> None:
        path = write(tmp_path, self.ROWS)
        data = read(path, recipe=Recipe(confidence="bm25"))
        assert data.recipe.fitted["bm25"] == {"average": 4, "count": 3}
        assert data.recipe.item_counts.tolist() == [2, 2, 2]
        with pytest.raises(
            ParameterError, match=r"the BM25 statistics of this recipe belong to other data; pass recipe\.rules_only"
        ):
            read(path, recipe=data.recipe)

    def test_values_of_a_recipe_are_no_ratings_to_compare(self, tmp_path: Path) -> None:
        data = read(write(tmp_path, self.ROWS), recipe=Recipe(confidence="log"))
        with pytest.raises(DataError, match=r"these values were computed by a recipe; set min_rating in it"):
            data.binarize(2)

    def test_the_order_of_rows_makes_no_difference(self, tmp_path: Path) -> None:
        rng = random.Random(0)
        rows = [
            f"u{rng.randrange(9)},i{rng.randrange(9)},{rng.choice('ABC')},"
            f"{10**9 + rng.randrange(99) * SECONDS_PER_DAY}\n"
            for _ in range(200)
        ]
        recipe = Recipe(events={"A": 1, "B": 2, "C": 4}, half_life=9, min_per_user=3, min_per_item=3, confidence="bm25")
        readings = []
        for _ in range(3):
            readings.append(read(write(tmp_path, "user,item,event,time\n" + "".join(rows)), recipe=recipe))
            rng.shuffle(rows)
        for other in readings[1:]:
            assert other.items.tolist() == readings[0].items.tolist()
            np.testing.assert_allclose(other.values, readings[0].values, rtol=1e-6)


def test_events_must_be_somewhere(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,did\nann,up,VIEW\n")
    with pytest.raises(
        ColumnError, match=r"could not find the event column of log.csv; its columns are .*'did'. Pass event=COLUMN"
    ):
        read(path, recipe=Recipe(events=WEIGHTS))


def test_a_recipe_of_no_rules_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, TestPairs.ROWS)
    data, same = read(path), read(path, recipe=Recipe())
    assert (same.digest, same.recipe, same.report) == (data.digest, data.recipe, data.report)


def test_what_a_reading_left_out_the_next_one_by_its_recipe_leaves_out(tmp_path: Path) -> None:
    path = write(tmp_path, "user,item,plays,time\nann,up,3,1400000000\nann,heat,2,1400000001\n")
    first = read(path, value="", time="")
    for recipe in (first.recipe, first.recipe.rules_only):
        again = read(path, recipe=recipe)
        assert (again.digest, again.times, again.recipe) == (first.digest, None, first.recipe)
    assert pairs(read(path, recipe=first.recipe, value="plays"))["ann", "up"] == 3


def test_columns_may_be_named_in_the_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, "wer,was,wie\nann,up,VIEW\nann,heat,LIKE\n")
    recipe = Recipe({"user": "wer", "item": "was", "event": "wie"}, events=WEIGHTS)
    assert pairs(read(path, recipe=recipe)) == {("ann", "up"): 1, ("ann", "heat"): 2}
