"""Where values lie: places of a buffer against a brute-force model, and memory that is handed out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.layout import NO_MARGIN, Arena, Buffer, canonical_shape
from support.choices import examples

pairs = st.tuples(st.integers(0, 2), st.integers(0, 2))
shapes = st.tuples(*[st.integers(1, 4)] * 4)


def model(buffer: Buffer) -> np.ndarray:
    """Return the place, relative to the block, of every value and margin: int64[C, D', H', W'] in memory order."""
    channels, (d, h, w) = buffer.shape[0], buffer.padded
    return np.arange(channels * d * h * w).reshape(channels, d, h, w) * buffer.lanes


def inside(buffer: Buffer, places: np.ndarray) -> np.ndarray:
    cut = tuple(slice(before, before + n) for (before, _), n in zip(buffer.margin, buffer.shape[1:], strict=True))
    return places[(slice(None), *cut)]


@examples(60)
@given(shapes, st.tuples(pairs, pairs, pairs), st.sampled_from([4, 8, 16]), st.integers(1, 3))
def test_places_are_those_of_an_array_with_margins(
    shape: tuple[int, int, int, int], margin: tuple, lanes: int, blocks: int
) -> None:
    buffer = Buffer(0, shape, margin, lanes, blocks)
    places = model(buffer)
    assert buffer.block == places.size * lanes
    assert buffer.size == blocks * buffer.block
    np.testing.assert_array_equal(buffer.features(), inside(buffer, places).ravel())
    np.testing.assert_array_equal(buffer.positions(), inside(buffer, places)[0].ravel())
    np.testing.assert_array_equal(buffer.channels(), places[:, 0, 0, 0])
    first = [-before for before, _ in margin]
    ends = [n + after for n, (_, after) in zip(shape[1:], margin, strict=True)]
    axes = [np.arange(a, b) for a, b in zip(first, ends, strict=True)]
    np.testing.assert_array_equal(buffer.space(*axes).ravel(), places[0].ravel())


@examples(60)
@given(shapes, st.lists(st.tuples(pairs, pairs, pairs), min_size=1, max_size=3))
def test_runs_side_by_side_cover_every_value_once(shape: tuple[int, int, int, int], margins: list[tuple]) -> None:
    buffers = [Buffer(0, shape, margin, 4, 1) for margin in margins]
    runs, length = buffers[0].same_runs(*buffers[1:])
    for column, buffer in enumerate(buffers):
        covered = (runs[:, column, None] + np.arange(length) * 4).ravel()
        np.testing.assert_array_equal(np.sort(covered), np.sort(buffer.features()))
    order = np.argsort(runs[:, 0], kind="stable")
    for column in range(len(buffers)):  # a run of one buffer lies beside the same run of the others
        np.testing.assert_array_equal(np.argsort(runs[:, column], kind="stable"), order)


@examples(40)
@given(shapes, st.tuples(pairs, pairs, pairs), st.data())
def test_part_of_the_channels(shape: tuple[int, int, int, int], margin: tuple, data: st.DataObject) -> None:
    buffer = Buffer(100, shape, margin, 8, 3)
    first = data.draw(st.integers(0, shape[0] - 1))
    count = data.draw(st.integers(1, shape[0] - first))
    part = buffer.part(first, count)
    places = inside(buffer, model(buffer))[first : first + count]
    np.testing.assert_array_equal(part.offset + part.features(), 100 + places.ravel())
    assert part.block == buffer.block


@pytest.mark.parametrize(
    ("shape", "canonical"),
    [((5,), (5, 1, 1, 1)), ((5, 7), (5, 1, 1, 7)), ((5, 6, 7), (5, 1, 6, 7)), ((5, 2, 6, 7), (5, 2, 6, 7))],
)
def test_every_sample_has_three_axes_of_space(shape: tuple[int, ...], canonical: tuple[int, ...]) -> None:
    assert canonical_shape(shape) == canonical


@examples(60)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), max_size=25))
def test_memory_in_use_is_never_handed_out_twice(requests: list[tuple[int, bool, bool]]) -> None:
    """Buffers are allocated and freed in turn; what margins lie in belongs to one buffer for good."""
    arena = Arena(4, 2)
    live: list[Buffer] = []
    forever: list[Buffer] = []
    for channels, margins, free in requests:
        buffer = arena.allocate((channels, 5), ((0, 0), (0, 0), (1, 1)) if margins else NO_MARGIN)
        assert buffer.offset % 64 == 0
        assert buffer.offset + buffer.size <= arena.size
        live.append(buffer)
        forever += [buffer] if margins else []
        if free:
            arena.free(live.pop(0))
        for a, b in itertools.combinations({id(b): b for b in live + forever}.values(), 2):
            assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset


def test_freed_memory_is_used_again() -> None:
    arena = Arena(8, 1)
    first = arena.allocate((10, 4))
    arena.free(first)
    second, third = arena.allocate((4, 4)), arena.allocate((4, 4))
    assert arena.size == first.size
    assert {second.offset, third.offset} == {0, 128}
    kept = arena.allocate((2, 3), ((0, 0), (0, 0), (1, 0)))
    arena.free(kept)
    assert arena.allocate((2, 3)).offset != kept.offset
