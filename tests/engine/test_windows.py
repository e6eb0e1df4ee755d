"""Tables of windows against brute force: every pair of a window and a cell under it appears once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.layout import NO_MARGIN, Arena
from striate.engine.lowering.windows import (
    Geometry,
    class_tables,
    classes,
    inputs_under,
    places,
    taps,
    windows_over,
)
from striate.errors import CapacityError
from striate.layers.arguments import output_size
from support.choices import examples

axis = st.tuples(st.integers(1, 12), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3))


def outputs_of(n: int, k: int, s: int, d: int, before: int) -> int:
    return output_size(n, k, s, d, (before, before))


def pairs(n: int, k: int, s: int, d: int, before: int) -> Counter:
    """Return how often (window, tap, input) belong together."""
    found: Counter = Counter()
    for o in range(outputs_of(n, k, s, d, before)):
        for t in range(k):
            i = o * s + t * d - before
            if 0 <= i < n:
                found[o, t, i] += 1
    return found


@examples(150)
@given(axis)
def test_classes_of_an_axis_hold_every_pair_once(case: tuple[int, int, int, int, int]) -> None:
    n, outputs = case[0], outputs_of(*case)
    over = Counter(
        (int(o), t, int(first) + shift)
        for part in windows_over(n, outputs, *case[1:])
        for o, first in zip(part.positions, part.partners, strict=True)
        for t, shift in part.pairs
    )
    under = Counter(
        (int(first) + shift, t, int(i))
        for part in inputs_under(n, outputs, *case[1:])
        for i, first in zip(part.positions, part.partners, strict=True)
        for t, shift in part.pairs
    )
    assert over == under == pairs(*case)


@pytest.mark.parametrize("grouping", [windows_over, inputs_under])
@examples(60)
@given(case=axis)
def test_every_position_is_in_one_class(grouping: object, case: tuple[int, int, int, int, int]) -> None:
    n, outputs = case[0], outputs_of(*case)
    positions = [p for part in grouping(n, outputs, *case[1:]) for p in part.positions]  # type: ignore[operator]
    assert sorted(positions) == list(range(outputs if grouping is windows_over else n))


def geometry(kernel: tuple, stride: tuple, dilation: tuple, before: tuple) -> Geometry:
    return Geometry(kernel, stride, dilation, tuple((b, b) for b in before))  # type: ignore[arg-type]


def sizes_of(case: tuple) -> tuple[int, ...]:
    """Return the outputs along each axis of (space, kernel, stride, dilation, padding before)."""
    return tuple(outputs_of(*axis) for axis in zip(*case, strict=True))


short = st.tuples(st.integers(1, 5), *[st.integers(1, 3)] * 3, st.integers(0, 1)).filter(
    lambda n: outputs_of(*n) >= 1
)
boxes = st.tuples(short, short, short).map(lambda axes: tuple(zip(*axes, strict=True)))


@examples(60)
@given(boxes)
def test_tables_of_windows_point_at_their_cells(case: tuple) -> None:
    """Cells numbered by place in a buffer with margins: window + tap is where the arithmetic says."""
    space, kernel, stride, dilation, before = case
    size = sizes_of(case)
    arena, shape = Arena(4, 1), geometry(kernel, stride, dilation, before)
    x = arena.allocate((1, *space), shape.padding)
    out = arena.allocate((1, *size), NO_MARGIN)
    starts = [np.arange(o) * s - b for o, s, b in zip(size, stride, before, strict=True)]
    cells = [np.arange(k) * d for k, d in zip(kernel, dilation, strict=True)]
    table, steps = places(x, out, shape), taps(x, shape)
    grid = np.stack([g.ravel() for g in np.meshgrid(*starts, indexing="ij")], axis=1)
    cell = np.stack([g.ravel() for g in np.meshgrid(*cells, indexing="ij")], axis=1)
    coordinates = grid[:, None] + cell[None]
    expected = x.origin + coordinates @ np.array(x.strides[1:])
    np.testing.assert_array_equal(table[:, :1] + steps[None], expected)
    np.testing.assert_array_equal(table[:, 1], np.arange(len(grid)) * 4)


@examples(40)
@given(boxes)
def test_class_tables_hold_every_pair_once(case: tuple) -> None:
    space, kernel, stride, dilation, before = case
    size = sizes_of(case)
    arena, shape = Arena(4, 1), geometry(kernel, stride, dilation, before)
    x, out = arena.allocate((1, *space)), arena.allocate((1, *size))
    found: Counter = Counter()
    for part in classes(windows_over, space, size, shape):
        where, table = class_tables(out, x, part, shape)
        for first, position in where:
            found.update((int(position), int(tap), int(first + step)) for step, tap in table)
    one = [pairs(*axis) for axis in zip(*case, strict=True)]
    expected: Counter = Counter()
    _, kh, kw = kernel
    for (o0, t0, i0), (o1, t1, i1), (o2, t2, i2) in ((a, b, c) for a in one[0] for b in one[1] for c in one[2]):
        window = out.space(np.array([o0]), np.array([o1]), np.array([o2])).item()
        place = x.space(np.array([i0]), np.array([i1]), np.array([i2])).item()
        expected[window, (t0 * kh + t1) * kw + t2, place] += 1
    assert found == expected


def test_of_a_huge_kernel_only_the_taps_inside_count() -> None:
    """Of 2^40 taps all but 8 lie in the padding, and nothing walks through them."""
    half = 2**39
    (over,) = windows_over(8, 1, 2**40, 2**40, 1, half)
    assert [tap - half for tap, _ in over.pairs] == list(range(8))
    under = inputs_under(8, 1, 2**40, 2**40, 1, half)
    assert sorted(part.pairs[0][0] - half for part in under) == list(range(8))


@pytest.mark.parametrize("grouping", [windows_over, inputs_under])
def test_tables_are_bounded(grouping: object) -> None:
    with pytest.raises(CapacityError, match=r"windows of 8000 over 8000 positions need tables of [\d,]+ entries"):
        grouping(8000, 8000, 8000, 1, 1, 4000)  # type: ignore[operator]
