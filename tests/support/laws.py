"""What every model obeys: a law is a function of settings (`cases.py`) and of data; `test_laws.py` tries them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import NotFitted, ParameterError, UnknownItem, UnknownUser, Unsupported
from support.cases import Case, arrays, plain_answers, user_history

Law = Callable[[Case, Interactions, Path], None]


def a_model_answers_nothing_before_fit(case: Case, data: Interactions, _: Path) -> None:
    for call in (
        lambda model: model.recommend(0),
        lambda model: model.similar(0),
        lambda model: model.predict(0, 0),
        lambda model: model.fold_in([0]),
        lambda model: model.explain(0, 0),
    ):
        with pytest.raises(NotFitted, match=rf"{case.model_class.name} model is not fitted; call fit"):
            call(case.model_class(**case.settings))


def a_second_fit_equals_the_first(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    first_bits = arrays(model)
    assert arrays(model.fit(data, progress=False)) == first_bits == arrays(case.fit(data))


def any_number_of_threads_gives_the_same_bits(case: Case, data: Interactions, _: Path) -> None:
    single_threaded = case.fit(data, threads=1)
    for threads in (2, 4):
        model = case.fit(data, threads=threads)
        assert arrays(model) == arrays(single_threaded)
        assert plain_answers(model.recommend(threads=threads)) == plain_answers(single_threaded.recommend(threads=1))


def the_order_of_the_rows_makes_no_difference(case: Case, data: Interactions, _: Path) -> None:
    order = np.random.default_rng(0).permutation(len(data))
    assert data.times is not None
    columns = (data.users[order], data.items[order], data.values[order], data.times[order])
    tables = {"catalog": data.catalog, "user_table": data.user_table}
    shuffled = Interactions.build(data.user_ids, data.item_ids, *columns, **tables)
    assert arrays(case.fit(shuffled)) == arrays(case.fit(data))


def many_users_at_once_equal_one_by_one(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    users = [5, 0, 17, 5]
    lists = model.recommend(users, n=7)
    for index, user in enumerate(users):
        assert plain_answers(lists[index]) == plain_answers(model.recommend(user, n=7))


def all_users_are_each_user(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    assert plain_answers(model.recommend(n=4)) == plain_answers(model.recommend(data.user_ids.tolist(), n=4))


def seen_items_never_come_back_and_all_others_do(case: Case, data: Interactions, _: Path) -> None:
    lists = case.fit(data).recommend(n=len(data.item_ids))
    for user in range(len(data.user_ids)):
        seen = set(data.by_user.row(user)[0].tolist())
        assert sorted(lists[user].rows.tolist()) == sorted(set(range(len(data.item_ids))) - seen)


def exclude_seen_false_lists_everything(case: Case, data: Interactions, _: Path) -> None:
    lists = case.fit(data).recommend([3, 4], n=10_000, exclude_seen=False)
    assert lists.counts.tolist() == [len(data.item_ids)] * 2


def lists_have_exactly_n_items(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    unseen = len(data.item_ids) - data.by_user.counts
    for n in (1, 10, 60):
        assert np.array_equal(model.recommend(n=n).counts, np.minimum(unseen, n))


def scores_descend_and_ties_go_to_the_lower_row(case: Case, data: Interactions, _: Path) -> None:
    lists = case.fit(data).recommend(n=len(data.item_ids))
    for user_list in (lists[user] for user in range(len(data.user_ids))):
        assert (np.diff(user_list.scores) <= 0).all()
        tied = np.diff(user_list.scores) == 0
        assert (np.diff(user_list.rows)[tied] > 0).all()


def allow_deny_and_where_leave_exactly_what_they_say(case: Case, data: Interactions, _: Path) -> None:
    model, item_count = case.fit(data), len(data.item_ids)
    options = {"exclude_seen": False, "n": item_count}
    allowed, denied = [3, 1, 8], [0, 2, 8]
    nineties = {item for item in range(item_count) if 1990 + item % 10 >= 1997}
    assert set(model.recommend(1, allow=allowed, **options).items) == set(allowed)
    assert set(model.recommend(1, deny=denied, **options).items) == set(range(item_count)) - set(denied)
    assert set(model.recommend(1, where="year >= 1997", **options).items) == nineties
    assert set(model.recommend(1, allow=allowed, deny=denied, **options).items) == {1, 3}
    assert len(model.recommend(1, allow=[], n=5)) == 0
    filtered = model.recommend(1, where="year >= 1997", n=5)
    seen = set(data.by_user.row(1)[0].tolist())
    assert len(filtered) == min(5, len(nineties - seen))
    assert set(filtered.items) <= nineties - seen


def filters_keep_the_order(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    expected = [item for item in model.recommend(2, n=len(data.item_ids)).items if item % 10 >= 7]
    assert model.recommend(2, n=4, where="year >= 1997").items == expected[:4]


def unknown_users_follow_the_word(case: Case, data: Interactions, _: Path) -> None:
    model, unknown_user = case.fit(data), 10_000
    with pytest.raises(UnknownUser, match=rf"no user {unknown_user} \(int\) in this model"):
        model.recommend([1, unknown_user])
    assert plain_answers(model.recommend([1, unknown_user], unknown="skip")) == plain_answers(model.recommend([1]))
    lists = model.recommend([unknown_user, 1], n=3, unknown="popular")
    assert plain_answers(lists[1]) == plain_answers(model.recommend(1, n=3))
    assert {row.source for row in lists[0]} == {"popular"}
    assert {row.source for row in lists[1]} - {"attributes"} == {model.source_label}
    order = np.argsort(-data.item_counts, kind="stable")
    assert lists[0].rows.tolist() == order[:3].tolist()


def unknown_items_are_errors(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    for call in (
        lambda: model.recommend(1, allow=[77_777]),
        lambda: model.recommend(1, deny=[77_777]),
        lambda: model.similar(77_777),
        lambda: model.fold_in([77_777]),
        lambda: model.explain(1, 77_777),
    ):
        with pytest.raises(UnknownItem, match=r"no item 77777 \(int\) in this model"):
            call()


def similar_never_lists_the_item_itself(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    if "similar" not in case.answers:
        with pytest.raises(Unsupported, match="explicit-als"):
            model.similar(0)
        return
    items = data.item_ids.tolist()
    lists = model.similar(items, n=len(items))
    assert lists.counts.tolist() == [len(items) - 1] * len(items)
    for index, item in enumerate(items):
        assert item not in lists[index].items
    assert plain_answers(lists[3]) == plain_answers(model.similar(3, n=len(items)))
    assert set(model.similar(1, n=99, where="year = 1994", deny=[4]).items) == {i for i in items if i % 10 == 4} - {4}


def predictions_are_the_scores_of_the_lists(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    if "predict" not in case.answers:
        with pytest.raises(Unsupported, match="explicit-als"):
            model.predict(1, 1)
        return
    top_list = model.recommend(3, n=12)
    predictions = model.predict(3, top_list.items)
    assert predictions.dtype == np.float32
    np.testing.assert_allclose(predictions, top_list.scores, rtol=1e-4, atol=1e-5)
    assert model.predict(3, 5).shape == (1,)
    assert model.predict([3, 4, 5], 5).shape == model.predict([3, 4, 5], [1, 2, 3]).shape == (3,)
    if not model.predicts_ratings:
        with pytest.raises(
            ParameterError, match=f"clip=True requires a model that predicts ratings, and {model.name} does not"
        ):
            model.predict(3, 5, clip=True)
        return
    clipped = model.predict([3] * 80, range(80), clip=True)
    np.testing.assert_array_equal(clipped, np.clip(model.predict([3] * 80, range(80)), *data.scale))


def predictions_of_the_unknown_follow_the_word(case: Case, data: Interactions, _: Path) -> None:
    if "predict" not in case.answers:
        return
    model, unknown_id = case.fit(data), 10_000
    with pytest.raises(UnknownUser):
        model.predict([1, unknown_id], [2, 2])
    with pytest.raises(UnknownItem):
        model.predict([1, 1], [2, unknown_id])
    skipped = model.predict([1, unknown_id, 1], [2, 2, unknown_id], unknown="skip")
    assert np.isnan(skipped).tolist() == [False, True, True]
    assert skipped[0] == model.predict(1, 2)[0]
    assert np.isfinite(model.predict([1, unknown_id, 1], [2, 2, unknown_id], unknown="bias")).all()


def a_fit_that_breaks_off_leaves_the_old_model_whole(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    bits_before, lists, history = arrays(model), plain_answers(model.recommend()), model.history
    if not history:  # nothing that could be broken off
        return

    def failing_callback(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        model.fit(data.where(data.values > 2), progress=False, callbacks=[failing_callback])
    assert arrays(model) == bits_before
    assert plain_answers(model.recommend()) == lists
    assert model.history is history


def save_and_load_change_nothing(case: Case, data: Interactions, folder: Path) -> None:
    from alsatian.persistence.save_load import load, save

    model = case.fit(data)
    save(model, folder / "a.model")
    loaded = load(folder / "a.model")
    assert type(loaded) is case.model_class
    assert loaded.params == model.params
    assert arrays(loaded) == arrays(model)
    assert loaded.history == model.history
    assert loaded.training == model.training
    assert loaded.data.digest == data.digest
    assert plain_answers(loaded.recommend(n=9, where="year > 1991")) == plain_answers(
        model.recommend(n=9, where="year > 1991")
    )
    visitor, expected_visitor = loaded.fold_in({3: 5, 4: 1}), model.fold_in({3: 5, 4: 1})
    assert plain_answers(visitor.recommend(9)) == plain_answers(expected_visitor.recommend(9))
    if "similar" in case.answers:
        assert plain_answers(loaded.similar("Film 3")) == plain_answers(model.similar("Film 3"))
    if "explain" in case.answers:
        assert loaded.explain(1, 5) == model.explain(1, 5)


def folding_in_a_history_is_what_the_fit_did(case: Case, data: Interactions, _: Path) -> None:
    """The last half-sweep of a fit and a fold-in are one kernel over the same row, so they give the same bits."""
    model = case.fit(data)
    for user in range(0, len(data.user_ids), 7):
        visitor = model.fold_in(user_history(data, user))
        if "fold_in" in case.answers:
            all_users_batch, user_list = model.encode_users(np.array([user], np.int32)), model.recommend(user, n=8)
            for field in {"vectors", "offsets", "neighbors", "similarities"} & {f.name for f in fields(visitor.batch)}:
                visitor_array, batch_array = getattr(visitor.batch, field), getattr(all_users_batch, field)
                if visitor_array is not None or batch_array is not None:
                    assert visitor_array[0].tobytes() == batch_array[user].tobytes()
            assert visitor.recommend(8).rows.tolist() == user_list.rows.tolist()
            assert visitor.recommend(8).scores.tobytes() == user_list.scores.tobytes()
            assert {row.source for row in visitor.recommend(8)} - {"attributes"} == {"fold_in"}


def the_parts_of_an_explanation_add_up_to_the_score(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    if "explain" not in case.answers:
        with pytest.raises(Unsupported, match="explicit-als"):
            model.explain(1, 5)
        return
    for user in (0, 1, 40):
        visitor = model.fold_in(user_history(data, user))
        for row in visitor.recommend(5):
            explanation = visitor.explain(row.item)
            assert explanation == model.explain(user, row.item)
            assert explanation.score == pytest.approx(row.score, rel=1e-4, abs=1e-4)
            contributions = [reason.contribution for reason in explanation.reasons]
            assert explanation.base + sum(contributions) == pytest.approx(explanation.score, rel=1e-4, abs=1e-6)
            assert contributions == sorted(contributions, reverse=True)
            assert {reason.item for reason in explanation.reasons} == set(user_history(data, user))


def reasons_are_the_largest_parts_of_the_explanation(case: Case, data: Interactions, _: Path) -> None:
    model = case.fit(data)
    if "explain" not in case.answers:
        with pytest.raises(Unsupported):
            model.recommend(1, reasons=True)
        return
    for row in model.recommend(1, n=4, reasons=True):
        top_reasons = model.explain(1, row.item).reasons[:3]
        assert [title for title, _ in row.reasons or []] == [reason.title for reason in top_reasons]
    lists = model.recommend([10_000, 1], n=4, reasons=True, unknown="popular")
    assert [bool(row.reasons) for row in lists] == [False] * 4 + [True] * 4


LAWS: list[Law] = [
    a_model_answers_nothing_before_fit,
    a_second_fit_equals_the_first,
    any_number_of_threads_gives_the_same_bits,
    the_order_of_the_rows_makes_no_difference,
    many_users_at_once_equal_one_by_one,
    all_users_are_each_user,
    seen_items_never_come_back_and_all_others_do,
    exclude_seen_false_lists_everything,
    lists_have_exactly_n_items,
    scores_descend_and_ties_go_to_the_lower_row,
    allow_deny_and_where_leave_exactly_what_they_say,
    filters_keep_the_order,
    unknown_users_follow_the_word,
    unknown_items_are_errors,
    similar_never_lists_the_item_itself,
    predictions_are_the_scores_of_the_lists,
    predictions_of_the_unknown_follow_the_word,
    a_fit_that_breaks_off_leaves_the_old_model_whole,
    save_and_load_change_nothing,
    folding_in_a_history_is_what_the_fit_did,
    the_parts_of_an_explanation_add_up_to_the_score,
    reasons_are_the_largest_parts_of_the_explanation,
]
