"""Sums that textbooks do by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.layers import MaxPool2d
from striate.reference import operation
from striate.reference.convolution import correlate
from striate.reference.registry import Context

FIVE = [[1, 0, 3, 0, 2], [0, 3, 4, 0, 2], [1, 0, 2, 0, 1], [8, 12, 0, 1, 0], [0, 6, 3, 2, 0]]
FOUR = [[1, 2, 3, 4, 4, 5], [6, 0, 7, 8, 9, 0], [4, 1, 7, 2, 9, 4], [9, 4, 9, 1, 4, 2]]
SIX = [
    [3, 0, 1, 0, 2, 4], [0, 1, 8, 12, 0, 0], [4, 0, 0, 3, 2, 2],
    [2, 0, 1, 0, 1, 1], [3, 2, 0, 6, 0, 5], [1, 0, 6, 0, 0, 9],
]  # fmt: skip
KERNEL = [[1, -1, 0], [0, 2, -3], [-1, 0, 2]]
SIGNAL, SECOND = [4, 1, 1, 2, 3, 5, 8, 13], [1, -2, 1]

SAME = [[8, -1, 3, -6, 4], [-10, -2, 5, -3, 2], [26, -17, -7, 1, -1], [-9, 31, -7, 1, -3], [-26, -1, 12, 3, 1]]
SUMS: list[tuple[Any, Any, int, int, Any]] = [
    (SIGNAL, SECOND, 0, 1, [3, 1, 0, 1, 1, 2]),
    (SIGNAL, SECOND, 1, 1, [-7, 3, 1, 0, 1, 1, 2, -18]),
    (FIVE, [[1, -1, 0], [0, 2, -2], [-1, 0, 2]], 0, 1, [[2, 5, -1], [-15, -7, 2], [31, -6, 1]]),
    (FIVE, KERNEL, 0, 1, [[-2, 5, -3], [-17, -7, 1], [31, -7, 1]]),
    (FIVE, KERNEL, 0, 2, [[-2, -3], [31, 1]]),
    (FIVE, KERNEL, 1, 1, SAME),
    ([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], 0, 1, [[19, 25], [37, 43]]),
    (FOUR, [[0, 1, 2], [3, 4, 5], [6, 7, 8]], 1, 2, [[56, 151, 164], [122, 159, 121]]),
]


@pytest.mark.parametrize(("x", "kernel", "padding", "stride", "answer"), SUMS)
def test_correlation_by_hand(x: Any, kernel: Any, padding: int, stride: int, answer: Any) -> None:
    image, weight = np.array(x, float)[None, None], np.array(kernel, float)[None, None]
    rank = image.ndim - 2
    out = correlate(image, weight, stride=[stride] * rank, padding=[(padding, padding)] * rank, dilation=[1] * rank)
    assert out[0, 0].tolist() == answer


def test_true_convolution_by_hand() -> None:
    signal, kernel = np.arange(1.0, 7.0)[None, None], np.array([[[0.1, 0.2, 0.3, 0.4]]])
    out = correlate(signal, kernel, stride=[1], padding=[(0, 0)], dilation=[1], flip=True)
    np.testing.assert_allclose(out[0, 0], [2, 3, 4], rtol=1e-14)


@pytest.mark.parametrize(
    ("x", "answer"), [(SIX, [[3, 12, 4], [4, 3, 2], [3, 6, 9]]), (FOUR, [[6, 8, 9], [9, 9, 9]])]
)
def test_max_pooling_by_hand(x: Any, answer: Any) -> None:
    layer = MaxPool2d(2)
    out = operation(layer).forward(layer, {}, np.array(x, float)[None, None], context=Context())
    assert out[0, 0].tolist() == answer


def test_ties_go_to_the_first_position() -> None:
    layer = MaxPool2d(2, stride=1)
    op, x = operation(layer), np.ones((1, 1, 2, 3))
    out = op.forward(layer, {}, x, context=Context())
    (grad,), _ = op.backward(layer, {}, (x,), out, np.array([[[[2.0, 3.0]]]]), Context())
    assert grad[0, 0].tolist() == [[2, 3, 0], [0, 0, 0]]
