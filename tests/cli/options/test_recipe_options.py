"""Recipes on the command line: flags, a TOML file, and the two commands of the article system."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alsatian as al

Cli = Callable[..., Any]
EVENTS = "VIEW=1, LIKE=2,BOOKMARK=3,FOLLOW=4,COMMENT CREATED=5"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = (
        f"u{n % 7},i{n * n % 11},{('VIEW', 'LIKE', 'COMMENT CREATED', 'VIEW')[n % 4]},{10**9 + n * 86_400}\n"
        for n in range(200)
    )
    (tmp_path / "log.csv").write_text("user,item,action,time\n" + "".join(rows))
    return tmp_path / "log.csv"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "my.model"


def test_flags(cli: Cli, log: Path, target: Path) -> None:
    flags = ["--events", EVENTS, "--half-life", "30d", "--min-per-user", 2, "--confidence", "log"]
    answer = cli("train", log, "-o", target, *flags, "--set", "factors=2")
    assert (answer.code, answer.err) == (0, "")
    assert "implicit-als, because the values are amounts computed by the recipe: " in answer.out
    recipe = al.load(target).data.recipe
    assert (recipe.events["COMMENT CREATED"], recipe.half_life, recipe.min_per_user) == (5, 30, 2)
    assert recipe.fitted == {"reference": 10**9 + 199 * 86_400}
    output = " ".join(cli("inspect", target).out.split())
    assert "events: BOOKMARK=3 COMMENT CREATED=5 FOLLOW=4 LIKE=2 VIEW=1, half_life: 30," in output


def test_a_file_says_the_same_and_flags_come_before_it(cli: Cli, log: Path, tmp_path: Path, target: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(
        'half_life = "30d"\nmin_per_user = 2\nconfidence = "log"\n[events]\nVIEW = 1\nLIKE = 2\nBOOKMARK = 3\n'
        'FOLLOW = 4\n"COMMENT CREATED" = 5\n'
    )
    flags = ["--events", EVENTS, "--half-life", "30d", "--min-per-user", 2, "--confidence", "log"]
    digests = []
    for options in (flags, ["--recipe", file], ["--recipe", file, "--half-life", "60d"]):
        assert cli("train", log, "-o", target, *options, "--set", "factors=2").code == 0
        digests.append(al.load(target).training["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_likes_go_into_a_recipe_that_weighs(cli: Cli, log: Path, target: Path) -> None:
    answer = cli("train", log, "-o", target, "--events", EVENTS, "--min-rating", 6, "--set", "factors=2")
    assert answer.code == 0
    assert "left out by min_rating=6: " in answer.out
    model = al.load(target)
    assert set(model.data.values) == {1.0}


def test_signals(cli: Cli, tmp_path: Path, target: Path) -> None:
    source = tmp_path / "s.csv"
    source.write_text("user,item,clicks,seconds\n" + "".join(f"{n % 5},{n % 4},{n},{n * n}\n" for n in range(30)))
    options = ["--signals", "clicks=1,seconds=0.5", "--normalize", "rank"]
    assert cli("train", source, "-o", target, *options, "--set", "factors=2").code == 0
    assert list(al.load(target).data.recipe.fitted["signals"]) == ["clicks", "seconds"]
    assert cli("inspect", source, *options).code == 0


def test_ignored_events_are_no_problem(cli: Cli, log: Path, target: Path) -> None:
    options = ["--event", "action", "--events", "LIKE=1", "--unknown-events", "ignore"]
    output = cli("inspect", log, *options).out
    assert "cannot be used" not in output
    assert "150 rows of events without a weight were left out: 'VIEW' (100 rows), 'COMMENT CREATED' (50 rows)" in output
    assert "left out by events: 150 rows" in cli("train", log, "-o", target, *options, "--set", "factors=2").out


def test_retraining_reads_by_the_same_recipe(cli: Cli, log: Path, target: Path) -> None:
    options = ["--events", EVENTS, "--half-life", "30d", "--confidence", "bm25"]
    assert cli("train", log, "-o", target, *options, "--set", "factors=2").code == 0
    answer = cli("recommend", target, "--like", "i1", "--retrain", log, "--json")
    assert answer.code == 0
    assert len(answer.json["items"]) > 0
    assert cli("recommend", target, "--like", "i1=COMMENT CREATED", "--like", "i3=1").code == 0


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--events", "VIEW"], 2, "--events 'VIEW' is not NAME=WEIGHT; write it like --events VIEW=1,LIKE=2."),
        (["--events", "VIEW=x"], 2, "--events 'VIEW=x' is not NAME=WEIGHT"),
        (["--events", "VIEW=1,VIEW=2"], 2, "--events gives 'VIEW' twice; pass it once."),
        (["--events", "VIEW=1", "--unknown-events", "drop"], 2, "'drop' is not valid; choose 'raise', 'ignore'"),
        (["--half-life", "long"], 2, "half_life='long' is not a duration"),
        (["--recipe", "none.toml"], 1, "none.toml cannot be read: No such file or directory."),
        (["--events", "VIEW=1,LIKES=2"], 1, "without a weight in 100 rows of log.csv: 'COMMENT CREATED' (50"),
        (["--event", "action"], 2, "event='action' has no effect without event weights; pass Recipe(events="),
    ],
)
def test_mistakes_are_one_line(cli: Cli, log: Path, target: Path, options: list[str], code: int, words: str) -> None:
    answer = cli("train", log, "-o", target, *options)
    assert answer.code == code
    assert words in answer.err
    assert answer.err.count("\n") == 1


def test_two_commands_make_the_article_system(cli: Cli, shared_data: Path, tmp_path: Path, target: Path) -> None:
    with tarfile.open(shared_data / "deskdrop.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(tmp_path.rglob("users_interactions.csv"))
    source.with_name("shared_articles.csv").write_text(
        "timestamp,eventType,contentId,authorPersonId,authorSessionId,authorUserAgent,authorRegion,authorCountry,"
        "contentType,url,title,text,lang\n"
        '1459193988,CONTENT SHARED,-4029704725707465084,1,2,,,,HTML,http://a,"Ten articles, found",text,en\n'
    )
    settings = [part for name in ("factors=20", "reg=0.1", "epochs=50", "alpha=15") for part in ("--set", name)]
    trained = cli("train", source, "-o", target, *settings)
    assert (trained.code, trained.err) == (0, "")
    assert "72,312 rows; 1,895 users, 2,987 items, 40,710 values" in trained.out
    by_title, by_id = (
        cli("similar", target, "-n", 10, "--json", "--", item)
        for item in ("ten articles found", "-4029704725707465084")
    )
    assert by_title.code == by_id.code == 0
    assert by_title.out == by_id.out
    assert len(by_title.json["items"]) == 10


def test_likes_and_least_counts_are_one_recipe_in_training_and_retraining(
    cli: Cli, tmp_path: Path, target: Path
) -> None:
    ratings = tmp_path / "ratings.csv"
    rows = (f"{n % 9},{n * n % 13},{1 + n * 7 % 5}\n" for n in range(117))
    ratings.write_text("user,item,rating\n" + "".join(dict.fromkeys(rows)))
    options = ["--duplicates", "last", "--min-rating", 4, "--min-per-user", 2, "--set", "factors=2"]
    assert cli("train", ratings, "-o", target, "--model", "implicit-als", *options).code == 0
    model = al.load(target)
    assert model.data.by_user.counts.min() >= 2
    again = al.read(ratings, duplicates="last", recipe=model.data.recipe.rules_only)
    assert again.digest == model.data.digest


def test_a_date_without_dashes_is_a_date(cli: Cli, log: Path, target: Path) -> None:
    flags = ["--events", EVENTS, "--half-life", "30d", "--set", "factors=2"]
    assert cli("train", log, "-o", target, *flags, "--reference-date", "20020101").code == 0
    assert al.load(target).data.recipe.reference_date == 1_009_843_200
    assert (
        "reference_date='2017' is not a date or time"
        in cli("train", log, "-o", target, *flags, "--reference-date", "2017").err
    )


def test_an_event_that_is_no_like_is_told(cli: Cli, log: Path, target: Path) -> None:
    assert cli("train", log, "-o", target, "--events", EVENTS, "--min-rating", 2, "--set", "factors=2").code == 0
    answer = cli("recommend", target, "--like", "i1=VIEW", "--like", "i3=LIKE")
    assert "i1=VIEW is not a like (the model takes 2 or more as likes); ignored" in answer.err
