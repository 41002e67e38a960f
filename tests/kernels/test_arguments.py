"""Wrong arrays raise; they never crash the process or are read out of bounds."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

REFUSED = (TypeError, ValueError, IndexError)


def sweep_arguments() -> dict[str, Any]:
    """Two rows over three columns, two factors, biases: all as it should be."""
    return {
        "indptr": np.array([0, 2, 3]),
        "indices": np.array([0, 2, 1], np.int32),
        "values": np.ones(3, np.float32),
        "weights": np.ones(3, np.float32),
        "weighting": (0.0, 1.0, 1.0, 0.0, 0.0),
        "fixed": np.ones((3, 2), np.float32),
        "fixed_bias": np.zeros(3, np.float32),
        "gram": None,
        "ridge": np.ones(2, np.float32),
        "rhs_offset": np.ones(3, np.float32),
        "noise": np.ones((2, 3), np.float32),
        "solution": np.zeros((2, 2), np.float32),
        "solution_bias": np.zeros(2, np.float32),
        "steps": 0,
        "exact_from": 0,
        "nonnegative": False,
        "threads": 1,
    }


def top_k_arguments() -> dict[str, Any]:
    return {
        "cells": np.zeros((2, 4, 16), np.float32),
        "order": np.arange(20, dtype=np.int32),
        "max_norm": np.zeros(2, np.float32),
        "max_bias": np.zeros(2, np.float32),
        "queries": np.ones((5, 3), np.float32),
        "rows": np.array([0, 4], np.int32),
        "seen_indptr": np.array([0, 1, 1, 1, 1, 2]),
        "seen_indices": np.array([3, 4], np.int32),
        "allowed": np.ones(20, np.uint8),
        "items_out": np.zeros((2, 6), np.int32),
        "scores": np.zeros((2, 6), np.float32),
        "threads": 1,
    }


def others() -> dict[str, dict[str, Any]]:
    pairs = {"left": np.ones((2, 3), np.float32), "right": np.ones((4, 3), np.float32)}
    five = np.ones((5, 3), np.float32)
    rows = {"left_rows": np.array([0, 1], np.int32), "right_rows": np.array([3, 0], np.int32)}
    return {
        "gram": {"factors": five, "scale": 1.0, "out": np.zeros((3, 3), np.float32), "threads": 1},
        "pack_items": {
            "factors": five,
            "bias": np.ones(5, np.float32),
            "order": np.arange(5, dtype=np.int32),
            "out": np.zeros((1, 4, 16), np.float32),
        },
        "pair_scores": pairs | rows | {"out": np.zeros(2, np.float32), "threads": 1},
        "counting_sort": {
            "keys": np.array([1, 0], np.int32),
            "columns": [np.array([5, 6])],
            "outputs": [np.zeros(2, np.int64)],
            "indptr": np.zeros(3, np.int64),
            "threads": 1,
        },
        "sort_rows": {
            "indptr": np.array([0, 2]),
            "keys": np.array([1, 0], np.int32),
            "columns": [np.array([5, 6])],
            "threads": 1,
        },
    }  # fmt: skip


TUPLES = {  # what a function takes as a tuple, from the arguments that the tests name one by one
    "half_sweep": {
        "rows": ("indptr", "indices", "values", "weights"),
        "fixed": ("fixed", "fixed_bias"),
        "solution": ("solution", "solution_bias"),
        "solver": ("steps", "exact_from", "nonnegative"),
        "sampling": ("rhs_offset", "noise"),
    },
    "top_k": {"panels": ("cells", "order", "max_norm", "max_bias"), "seen": ("seen_indptr", "seen_indices")},
}


def call(build: ModuleType, function: str, arguments: dict[str, Any]) -> Any:
    """Call a function of a build, with its tuples made of the arguments that belong to them."""
    tuples = TUPLES.get(function, {})
    packed = {name: tuple(arguments[member] for member in members) for name, members in tuples.items()}
    members = {member for names in tuples.values() for member in names}
    single = {name: value for name, value in arguments.items() if name not in members}
    return getattr(build, function)(**single | packed)


ARGUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "half_sweep": sweep_arguments,
    "top_k": top_k_arguments,
    **{name: lambda name=name: others()[name] for name in others()},  # type: ignore[misc]
}


@pytest.mark.parametrize("function", ARGUMENTS)
def test_the_examples_below_are_right_but_for_what_they_change(build: ModuleType, function: str) -> None:
    call(build, function, ARGUMENTS[function]())


MAY_BE_LONGER = ("left", "right", "factors", "seen_indices", "indptr")  # nothing else must match
ARRAYS = [
    (function, name)
    for function, make in ARGUMENTS.items()
    for name, value in make().items()
    if isinstance(value, np.ndarray)
]


@pytest.mark.parametrize(("function", "name"), ARRAYS)
def test_an_array_of_the_wrong_shape_type_or_layout_is_refused(build: ModuleType, function: str, name: str) -> None:
    right = ARGUMENTS[function]()[name]
    longer = np.concatenate([right, right])
    other_type = right.astype(np.int16)
    wrong = [longer, other_type, right[..., None], right.astype(object), right.tolist(), "text"]
    wrong += [np.repeat(right, 2, axis=-1)[..., ::2]]  # not contiguous
    for array in wrong:
        if array is longer and name in MAY_BE_LONGER:
            continue
        with pytest.raises(REFUSED):
            call(build, function, ARGUMENTS[function]() | {name: array})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr": np.array([1, 2, 3])}, "begin with 0"),
        ({"indptr": np.array([0, 3, 2])}, "must not descend|end with"),
        ({"indptr": np.array([0, 2, 9])}, "end with the number of entries"),
        ({"indptr": np.zeros(0, np.int64)}, "begin with 0"),
        ({"indices": np.array([0, 3, 1], np.int32)}, "out of bounds of the fixed side"),
        ({"indices": np.array([0, -1, 1], np.int32)}, "out of bounds of the fixed side"),
        ({"fixed_bias": None}, "both have biases, or neither"),
        ({"solution_bias": None}, "both have biases, or neither"),
        ({"weighting": (0.0, 1.0, 1.0, 0.0, 0.5)}, "mutually exclusive"),
        ({"gram": np.eye(2, dtype=np.float32)}, "unknowns x unknowns"),
        ({"rhs_offset": np.ones(2, np.float32)}, "one number per unknown"),
        ({"noise": np.ones((2, 2), np.float32)}, "rows x unknowns"),
        ({"steps": 3}, "require the exact solver"),
        ({"nonnegative": True}, "exact solver without noise"),
        ({"nonnegative": True, "noise": None, "rhs_offset": None, "steps": 3}, "exact solver without noise"),
        ({"values": np.ones(2, np.float32)}, "the same length"),
        ({"ridge": np.ones(3, np.float32)}, "match the solution's rows"),
        (
            {"fixed": np.ones((3, 0), np.float32), "solution": np.ones((2, 0), np.float32)}
            | {"fixed_bias": None, "solution_bias": None, "rhs_offset": None, "noise": None},
            "factors or biases to fit",
        ),
    ],
)  # fmt: skip
def test_a_half_sweep_says_what_does_not_fit(build: ModuleType, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(build, "half_sweep", sweep_arguments() | changes)


def test_both_sides_have_one_precision(build: ModuleType) -> None:
    with pytest.raises(TypeError):
        call(build, "half_sweep", sweep_arguments() | {"fixed": np.ones((3, 2))})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": np.array([0, 5], np.int32)}, "out of bounds of the queries"),
        ({"rows": np.array([-1, 0], np.int32)}, "out of bounds of the queries"),
        ({"order": np.arange(33, dtype=np.int32)}, "order must match"),
        ({"order": np.full(20, 20, np.int32)}, "order has an item out of bounds"),
        ({"order": np.full(20, -1, np.int32)}, "order has an item out of bounds"),
        ({"max_norm": np.zeros(1, np.float32)}, "bounds must match"),
        ({"allowed": np.ones(19, np.uint8)}, "one byte per item"),
        ({"seen_indptr": np.array([0, 1, 1, 1, 1, 3])}, "out of bounds"),
        ({"seen_indptr": np.array([0, 1, 1, 1, 2, 1])}, "out of bounds"),
        ({"items_out": np.zeros((2, 0), np.int32), "scores": np.zeros((2, 0), np.float32)}, "count x n"),
    ],
)
def test_top_k_says_what_does_not_fit(build: ModuleType, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(build, "top_k", top_k_arguments() | changes)


def test_seen_items_need_both_of_their_arrays(build: ModuleType) -> None:
    for name in ("seen_indptr", "seen_indices"):
        with pytest.raises(TypeError):
            call(build, "top_k", top_k_arguments() | {name: None})


@pytest.mark.parametrize("name", ["left_rows", "right_rows"])
@pytest.mark.parametrize("bad", [-1, 4])
def test_pairs_must_lie_inside_their_arrays(build: ModuleType, name: str, bad: int) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        build.pair_scores(**others()["pair_scores"] | {name: np.array([0, bad], np.int32)})


def test_sorted_columns_need_an_output_of_their_type(build: ModuleType) -> None:
    right = others()["counting_sort"]
    for changes, message in (
        ({"outputs": []}, "needs an output"),
        ({"outputs": [np.zeros(2, np.int32)]}, "the type of its column"),
        ({"outputs": [np.zeros(3, np.int64)]}, "as long as keys"),
        ({"columns": [np.zeros(2, np.int8)], "outputs": [np.zeros(2, np.int8)]}, "4 or 8 bytes"),
    ):
        with pytest.raises(ValueError, match=message):
            build.counting_sort(**right | changes)


def test_sorted_rows_are_checked(build: ModuleType) -> None:
    right = others()["sort_rows"]
    for changes, message in (
        ({"columns": [np.zeros(3)]}, "as long as keys"),
        ({"columns": [np.zeros(2, np.int8)]}, "4 or 8 bytes"),
        ({"keys": np.array([1, -1], np.int32)}, "negative"),
        ({"indptr": np.array([0, 1])}, "end with"),
    ):
        with pytest.raises(ValueError, match=message):
            build.sort_rows(**right | changes)


@pytest.mark.parametrize("function", [name for name in ARGUMENTS if name != "pack_items"])
def test_there_is_at_least_one_thread(build: ModuleType, function: str) -> None:
    for threads in (0, -1):
        with pytest.raises(ValueError, match="threads"):
            call(build, function, ARGUMENTS[function]() | {"threads": threads})


def test_what_is_written_to_must_be_writable(build: ModuleType) -> None:
    for function, name in (("half_sweep", "solution"), ("top_k", "items_out"), ("gram", "out"), ("pair_scores", "out")):
        frozen = ARGUMENTS[function]()[name]
        frozen.flags.writeable = False
        with pytest.raises(TypeError):
            call(build, function, ARGUMENTS[function]() | {name: frozen})
