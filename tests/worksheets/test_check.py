"""Sums that people wrote down are checked cell by cell."""

from __future__ import annotations

import pytest

from striate.errors import ShapeError, UsageError
from striate.worksheets import check
from striate.worksheets.check import split_sums


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("[4,1,1,2,3,5,8,13] * [1,-2,1] = [3,1,0,1,1,2]", "cross-correlation"),
        ("[4,1,1,2,3,5,8,13] * [1,-2,1] = [-7,3,1,0,1,1,2,-18]", "cross-correlation, padding 1"),
        ("[1,2,3,4,5] * [1,1] = [3,7]", "cross-correlation, stride 2"),
        ("convolve([1,2,3,4,5,6], [0.1,0.2,0.3,0.4]) = [2,3,4]", "convolution"),
        ("correlate([[1,2],[3,4]], [[1]], stride=2) = [[1]]", "cross-correlation, stride 2"),
        ("max_pool([[3,0],[0,1]], 2) = [[3]]", "max pooling"),
        ("average_pool([1,2,3,4], 2, stride=1) = [1.5,2.5,3.5]", "average pooling"),
        ("[[1,2],[3,4]] @ [[1],[2]] = [[5],[11]]", "matrix product"),
        ("[1,2] @ [3,4] = 11", "matrix product"),
        ("28*28*10 + 10 = 7850", "arithmetic"),
        ("floor((227 - 11)/4) + 1 = 55", "arithmetic"),
        ("relu([[-1,2]]) + [[1,1]] = [[1,3]]", "arithmetic"),
    ],
)
def test_right_sums_are_right(text, reading):
    found = check(text)
    assert found.correct, str(found)
    assert found.answer.reading == reading


@pytest.mark.parametrize(
    ("shown", "right"), [("0.73", True), ("0.7311", True), ("0.7310586", True), ("0.74", False), ("1", False)]
)
def test_decimals_may_be_rounded_and_whole_numbers_not(shown, right):
    assert check(f"sigmoid(1) = {shown}").correct == right
    assert check(f"-sigmoid(1) = -{shown}").correct == right


def test_a_wrong_cell_is_named_with_its_terms():
    image = "[[1,0,3,0,2],[0,3,4,0,2],[1,0,2,0,1],[8,12,0,1,0],[0,6,3,2,0]]"
    found = check(f"{image} * [[1,-1,0],[0,2,-2],[-1,0,2]] = [[2,5,-1],[-15,-7,2],[31,-8,1]]")
    assert found.wrong == ((2, 1),)
    assert "row 3, column 2: shown -8, right -6" in str(found)
    assert "-2 - 2 - 6 + 4 = -6" in str(found)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("[1,2,3] * [1,-1,2] = [-5]", "The sign is wrong."),
        ("[1,2,3] * [1,-1,2] = [7]", "The term -2 was left out."),
        ("[1,2,3] * [1,-1,2] = [9]", "The term -2 has the wrong sign."),
        ("[1,2,3] * [1,-1,2] = [6]", "The term 1 was counted twice."),
        ("[1,2,4] * [1,-1,2] = [4]", "What is shown is the convolution."),
        ("[[1,2]] @ [[3],[4]] = [[8]]", "The term 3 was left out."),
    ],
)
def test_single_slips_are_guessed(text, guess):
    assert guess in str(check(text))


def test_a_result_of_another_reading():
    found = check("[0,0,1,2] * [1,2,3] = [1,4]")
    assert found.right_reading == "convolution"
    assert str(found).endswith("What is shown is the convolution.")
    mixed = check("convolve([1,2,3,4,5,6], [0.1,0.2,0.3,0.4]) = [2,4,5]")
    assert mixed.wrong == ((1,), (2,))
    assert str(mixed).count("That is the value of the cross-correlation.") == 2


def test_a_result_of_another_size():
    found = check("max_pool([[1,2],[3,4]], 2) = [1,2]")
    assert not found.correct
    assert str(found) == "wrong size (max pooling): shown 2, but the result is 1 x 1\nresult [4]"


def test_many_wrong_cells_are_counted():
    found = check(f"{list(range(40))} * [1] = {list(range(1, 41))}")
    assert len(found.wrong) == 40
    assert "and 20 more" in str(found)


def test_texts_are_split_into_sums():
    text = "# a slide\n1 + 1 = 2\n\nmax_pool([[1, 2],\n  [3, 4]], 2) =\n  [[4]]  # last\n3 = 3"
    assert split_sums(text) == ["1 + 1 = 2", "max_pool([[1, 2], [3, 4]], 2) = [[4]]", "3 = 3"]
    assert split_sums("[1, 2") == ["[1, 2"]


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("1 + 1", UsageError, "has one equals sign; got 0"),
        ("1 = 1 = 1", UsageError, "has one equals sign; got 2"),
        ("1 + = 1", UsageError, "cannot be read"),
        ("1 + 1 = a", UsageError, "only numbers"),
        ("[1] * [1, 2] = [1]", ShapeError, "kernel of 2 needs an input of at least 2"),
        ("[[1, 2]] @ [[3, 4]] = [[1]]", UsageError, "as many columns"),
        ("maxpool([1], 2) = [1]", UsageError, "did you mean 'max_pool'"),
        ("max_pool([1, 2]) = [2]", UsageError, "takes an input and a window"),
        ("max_pool([1, 2], x) = [2]", UsageError, "settings are numbers"),
        ("max_pool([1, 2], 2, strid=1) = [2]", UsageError, "did you mean 'stride'"),
        ("correlate([1, 2]) = [2]", UsageError, "takes an input and a kernel"),
        ("correlate([1, 2], [1], stride=a) = [2]", UsageError, "settings are numbers"),
    ],
)
def test_what_cannot_be_read(text, error, match):
    with pytest.raises(error, match=match):
        check(text)
