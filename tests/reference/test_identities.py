"""What textbooks say about convolution, held against the reference."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from striate.layers import Conv1d
from striate.reference import convolution, operation
from striate.reference.convolution import correlate, correlate_backward, flipped
from striate.reference.registry import Array, Context
from striate.testing import Case
from support.choices import examples, small_case

PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
SIDES = st.tuples(st.integers(3, 8), st.integers(3, 8))
KERNELS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SEEDS = st.integers(0, 2**32)


def whole(rng: np.random.Generator, *shape: int) -> Array:
    """Small integers, for which sums of products are exact and equality is demanded."""
    return rng.integers(-5, 6, shape).astype(float)


def forward(drawn: Case, x: Array, parameters: dict[str, Array]) -> Array:
    return operation(drawn.layer).forward(drawn.layer, parameters, x, context=Context())


def one_term_matrix(drawn: Case, weight: Array) -> Array:
    """The matrix of the convolution, entry by entry from its definition (zeros beyond the edge)."""
    layer: Any = drawn.layer
    (shape,) = drawn.shapes
    window, out = layer.window(shape), layer.output_shape(shape)
    matrix = np.zeros((int(np.prod(out)), int(np.prod(shape))))
    per_group = shape[0] // layer.groups
    for m, *p in itertools.product(*map(range, out)):
        first = m // (out[0] // layer.groups) * per_group
        for c, *t in itertools.product(range(per_group), *map(range, window.kernel)):
            geometry = zip(p, t, window.stride, window.dilation, window.padding, strict=True)
            q = [a * s + b * d - before for a, b, s, d, (before, _) in geometry]
            if all(0 <= at < n for at, n in zip(q, shape[1:], strict=True)):
                row = np.ravel_multi_index((m, *p), out)
                matrix[row, np.ravel_multi_index((first + c, *q), shape)] += weight[(m, c, *t)]
    return matrix


def is_plain(drawn: Case) -> bool:
    layer: Any = drawn.layer
    (shape,) = drawn.shapes
    small = np.prod(shape) * np.prod(layer.output_shape(shape)) < 20_000
    return bool(layer.padding_mode == "zeros" and layer.connections is None and small)


@examples(40)
@given(st.data(), SEEDS)
def test_convolution_is_the_product_with_its_toeplitz_matrix(data: st.DataObject, seed: int) -> None:
    drawn = small_case(data, "convolution")
    assume(is_plain(drawn))
    rng = np.random.default_rng(seed)
    parameters = {spec.name: whole(rng, *spec.shape) for spec in drawn.layer.parameters(*drawn.shapes)}
    parameters["bias"] = np.zeros(drawn.layer.output_shape(*drawn.shapes)[0])
    x = whole(rng, 2, *drawn.shapes[0])
    product = x.reshape(2, -1) @ one_term_matrix(drawn, parameters["weight"]).T
    assert np.array_equal(forward(drawn, x, parameters).reshape(2, -1), product)


def test_toeplitz_matrix_of_one_axis_has_equal_diagonals() -> None:
    matrix = one_term_matrix(Case(Conv1d(1, 3), ((1, 7),)), np.array([[[-1.0, 0.0, 1.0]]]))
    assert matrix.shape == (5, 7)
    assert all(len(set(np.diagonal(matrix, k).tolist())) == 1 for k in range(-4, 7))
    assert matrix[0].tolist() == [-1, 0, 1, 0, 0, 0, 0]


@examples(40)
@given(space=SIDES, kernel=KERNELS, dilation=KERNELS, seed=SEEDS)
def test_dilation_is_a_kernel_with_zeros_between(
    space: tuple[int, int], kernel: tuple[int, int], dilation: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    x, weight = whole(rng, 2, 2, space[0] + extent[0], space[1] + extent[1]), whole(rng, 3, 2, *kernel)
    stuffed = np.zeros((3, 2, *extent))
    stuffed[:, :, :: dilation[0], :: dilation[1]] = weight
    dilated = correlate(x, weight, **{**PLAIN, "dilation": dilation})
    assert np.array_equal(dilated, correlate(x, stuffed, **PLAIN))


@examples(40)
@given(space=SIDES, kernel=KERNELS, stride=KERNELS, seed=SEEDS)
def test_stride_is_subsampling(
    space: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, 2, 2, *space), whole(rng, 3, 2, *kernel)
    every = correlate(x, weight, **PLAIN)
    assert np.array_equal(
        correlate(x, weight, **{**PLAIN, "stride": stride}), every[:, :, :: stride[0], :: stride[1]]
    )


@examples(40)
@given(space=SIDES, kernel=KERNELS, groups=st.integers(1, 4), seed=SEEDS)
def test_groups_are_a_block_diagonal_weight(
    space: tuple[int, int], kernel: tuple[int, int], groups: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, 2, 2 * groups, *space), whole(rng, 3 * groups, 2, *kernel)
    full = np.zeros((3 * groups, 2 * groups, *kernel))
    for g in range(groups):
        full[3 * g : 3 * g + 3, 2 * g : 2 * g + 2] = weight[3 * g : 3 * g + 3]
    assert np.array_equal(correlate(x, weight, groups=groups, **PLAIN), correlate(x, full, **PLAIN))


@examples(40)
@given(space=SIDES, kernel=KERNELS, shift=st.tuples(st.integers(0, 7), st.integers(0, 7)), seed=SEEDS)
def test_a_shifted_image_gives_the_shifted_map(
    space: tuple[int, int], kernel: tuple[int, int], shift: tuple[int, int], seed: int
) -> None:
    """Exactly, on a torus: circular padding."""
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, 2, 2, *space), whole(rng, 3, 2, *kernel)
    options = {**PLAIN, "padding": tuple((k // 2, (k - 1) // 2) for k in kernel), "mode": "circular"}
    moved = correlate(np.roll(x, shift, axis=(2, 3)), weight, **options)
    assert np.array_equal(moved, np.roll(correlate(x, weight, **options), shift, axis=(2, 3)))


@examples(40)
@given(space=SIDES, kernel=KERNELS, seed=SEEDS)
def test_true_convolution_is_correlation_with_the_flipped_kernel(
    space: tuple[int, int], kernel: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, weight = whole(rng, 2, 2, *space), whole(rng, 3, 2, *kernel)
    assert np.array_equal(correlate(x, weight, flip=True, **PLAIN), correlate(x, flipped(weight), **PLAIN))


@examples(20)
@given(n=st.integers(1, 9), m=st.integers(1, 5), seed=SEEDS)
def test_true_convolution_is_that_of_numpy_and_commutes(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal, kernel = whole(rng, n), whole(rng, m)

    def convolve(a: Array, b: Array) -> Array:
        padding = [(len(b) - 1, len(b) - 1)]
        return correlate(a[None, None], b[None, None], stride=[1], padding=padding, dilation=[1], flip=True)[0, 0]

    assert np.array_equal(convolve(signal, kernel), np.convolve(signal, kernel))
    assert np.array_equal(convolve(signal, kernel), convolve(kernel, signal))


@examples(30)
@given(st.data(), SEEDS)
def test_results_do_not_depend_on_memory_layout(data: st.DataObject, seed: int) -> None:
    drawn = small_case(data, "convolution")
    rng = np.random.default_rng(seed)
    parameters = {spec.name: whole(rng, *spec.shape) for spec in drawn.layer.parameters(*drawn.shapes)}
    x = whole(rng, 3, *drawn.shapes[0])
    backwards = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    assert np.array_equal(forward(drawn, x, parameters), forward(drawn, backwards, parameters))
    assert np.array_equal(forward(drawn, x, parameters), forward(drawn, np.asfortranarray(x), parameters))


def test_batches_give_the_same_whatever_room_their_windows_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, weight, grad = whole(rng, 5, 4, 7, 8), whole(rng, 6, 2, 3, 2), whole(rng, 5, 6, 3, 7)
    options = {"stride": (2, 1), "padding": [(0, 0), (0, 0)], "dilation": (1, 1), "groups": 2}
    together = correlate(x, weight, **options), *correlate_backward(x, weight, grad, **options)
    monkeypatch.setattr(convolution, "LARGEST_COLUMNS", 2 * 4 * 6 * 3 * 7)  # two samples at a time
    apart = correlate(x, weight, **options), *correlate_backward(x, weight, grad, **options)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)
