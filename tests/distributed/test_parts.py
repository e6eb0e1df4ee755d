"""Shards and segments of ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.distributed.parts import filled, halves, merges, segments_of_ranks, shards_of_ranks, without

COUNTS = [(shards, ranks) for shards in (1, 2, 3, 5, 8, 16, 21) for ranks in range(1, min(shards, 8) + 1)]


def tree(node: range) -> object:
    """The nested pairs along which shards are added."""
    return node.start if len(node) == 1 else tuple(tree(half) for half in halves(node))


@pytest.mark.parametrize(("shards", "ranks"), COUNTS)
def test_ranks_add_along_the_tree_of_all_shards(shards, ranks):
    parts = shards_of_ranks(shards, ranks)
    assert [shard for part in parts for shard in part] == list(range(shards))
    sums = [tree(part) for part in parts]
    for into, other in merges(parts):
        sums[into] = (sums[into], sums[other])
    assert sums[0] == tree(range(shards))


@pytest.mark.parametrize("shards", [4, 16, 64])
def test_powers_of_two_share_evenly(shards):
    assert {len(part) for part in shards_of_ranks(shards, 4)} == {shards // 4}


def test_filled_shards_come_first():
    assert [filled(range(2, 6), count) for count in (1, 2, 4, 9)] == [
        range(2, 2),
        range(2, 2),
        range(2, 4),
        range(2, 6),
    ]


@given(st.integers(1, 200_000), st.integers(1, 9), st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 9000))))
def test_segments_and_holes_cover_every_place_once(length, ranks, holes):
    seen = np.zeros(length, int)
    for begin, end in segments_of_ranks(length, ranks):
        seen[begin:end] += 1
    assert (seen == 1).all()
    inside = np.zeros(9000, int)
    for begin, end in without(0, 9000, [(min(pair), max(pair)) for pair in holes]):
        inside[begin:end] += 1
    for pair in holes:
        inside[min(pair) : max(pair)] += 1
    assert (inside >= 1).all()
