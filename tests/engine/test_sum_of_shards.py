"""The gradients of shards are added along one binary tree, whoever computed them."""

import numpy as np
import pytest

from striate.engine.binding import Bound
from striate.engine.memory import Sizes, Vectors
from striate.engine.plan import update_phases
from striate.engine.program import Program
from striate.engine.segments import flat_sizes, padded
from striate.engine.team import Team
from striate.machine import default_lanes

COUNT, MOST = 2000, 9


def tree(shards: np.ndarray) -> np.ndarray:
    """The sum of float32[S, n] by the definition: the largest power of two below S on the left, the rest right."""
    if len(shards) == 1:
        return shards[0]
    left = 1 << ((len(shards) - 1).bit_length() - 1)
    return tree(shards[:left]) + tree(shards[left:])


@pytest.fixture(scope="module")
def add():
    """A function that adds float32[S, COUNT], S up to MOST, with the engine."""
    program = Program(default_lanes())
    for name, size in flat_sizes(COUNT, 0, MOST).items():
        program.segment(name, size)
    update_phases(program, padded(COUNT), Sizes(default_lanes(), 1, MOST), None)
    bound = Bound(program.finish())
    team, vectors = Team(bound, 2), Vectors(bound.memory.arrays, COUNT)

    def run(shards: np.ndarray) -> np.ndarray:
        vectors.shards.reshape(MOST, -1)[: len(shards), :COUNT] = shards
        bound.choose(len(shards))
        team.run()
        return vectors.gradient[:COUNT].copy()

    return run


@pytest.mark.parametrize("count", range(1, MOST + 1))
def test_order_is_that_of_a_binary_tree(add, count):
    shards = np.random.default_rng(count).standard_normal((count, COUNT)).astype(np.float32)
    np.testing.assert_array_equal(add(shards), tree(shards))


def test_shards_below_a_node_can_be_added_alone(add):
    shards = np.random.default_rng(0).standard_normal((7, COUNT)).astype(np.float32)
    parts = np.stack([add(shards[:4]), add(shards[4:])])
    np.testing.assert_array_equal(add(parts), add(shards))
