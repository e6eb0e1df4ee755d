"""The arrays of a plan."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine import memory
from striate.engine.inference_session import InferenceSession
from striate.engine.memory import aligned
from striate.engine.training_session import TrainingSession
from striate.errors import CapacityError
from striate.layers import Conv2d, Flatten, Linear, ReLU
from striate.network import Network, Sequential
from support.small import FLOAT

NETWORK = Sequential([Flatten(), Linear(2)], (1, 2, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_arrays_begin_at_a_cache_line(dtype: type) -> None:
    for count in (0, 1, 7, 1000):
        array = aligned(count, dtype)
        assert array.dtype == dtype
        assert array.shape == (count,)
        assert not array.any()
        assert count == 0 or array.ctypes.data % 64 == 0


@pytest.fixture
def network() -> Network:
    """The largest value has 4 * 6 * 6 numbers."""
    return Sequential([Conv2d(4, 3), Flatten(), Linear(2, bias=False)], (1, 8, 8), "small")


def test_all_that_is_free_may_be_taken_but_not_a_byte_more(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 3 << 30)
    memory.check_room(network, 20, 3 << 30)
    with pytest.raises(CapacityError, match=r"small: batches of 20 need about 5\.5 GB of memory; 3\.0 GB are"):
        memory.check_room(network, 20, 11 << 29)
    with pytest.raises(CapacityError):
        memory.check_room(network, 20, (3 << 30) + 1)


@pytest.mark.parametrize(("training", "copies"), [(False, 1), (True, 4 + 3)])
def test_the_least_that_a_plan_takes(
    network: Network, training: bool, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parameters, gradients of the shards, the optimizer's state and the largest value of a shard, 4 bytes each."""
    needed = []
    monkeypatch.setattr(memory, "check_room", lambda network, batch, count: needed.append(count))
    memory.check_least(network, 90, memory.Sizes(lanes=8, blocks=4, shards=3), training=training)
    assert network.parameter_count == 4 * 9 + 4 + 2 * 4 * 6 * 6
    assert needed == [4 * (copies * network.parameter_count + 4 * 6 * 6 * 32)]


@pytest.mark.parametrize(
    ("batch", "lanes", "parameters", "blocks", "shards"),
    [
        (1, 8, 0, 1, 1),
        (40, 8, 0, 2, 3),
        (100, 16, 0, 2, 4),
        (128, 8, 0, 4, 4),
        (512, 16, 0, 4, 8),
        (512, 16, 2**24, 4, 8),
        (512, 16, 2**25, 8, 4),
        (512, 16, 3 * 2**24, 16, 2),
        (512, 16, 2**28, 32, 1),
    ],
)
def test_a_batch_is_cut_so_that_gradients_take_half_a_gigabyte(
    batch: int, lanes: int, parameters: int, blocks: int, shards: int
) -> None:
    assert memory.Sizes.of(batch, lanes, parameters) == memory.Sizes(lanes, blocks, shards)
    assert memory.Sizes(lanes, blocks, shards).samples == lanes * blocks


@pytest.mark.parametrize("more", [0, 1, 5])
def test_squares_are_summed_in_pieces_of_1024(more: int) -> None:
    vector = np.concatenate([np.full(1024, 2.0), np.full(1024, 3.0), np.full(more, 5.0)])
    expected = [4.0 * 1024, 9.0 * 1024, 25.0 * more]
    assert memory.sums_of_squares(vector.astype(np.float32)).tolist() == expected


def test_plans_take_as_many_samples_as_the_network_leaves_room_for(network: Network) -> None:
    assert memory.samples_at_once(network) == 16_384
    large_values = Sequential([Conv2d(64, 3, padding=1), Flatten(), Linear(2)], (3, 64, 64))
    assert 2**31 // (8 * (3 * 64 * 64 + 2 * 64 * 64 * 64 + 2)) < 1024 == memory.samples_at_once(large_values)
    assert 2**31 == 2048 * 8 * (2 * 256 * 256)
    assert memory.samples_at_once(Sequential([ReLU()], (1, 256, 256))) == 2048
    some_parameters = Sequential([Linear(1000)], 1118)
    assert 2048 < 2**27 // some_parameters.parameter_count * 32 < 4096
    assert memory.samples_at_once(some_parameters) == 2048
    many_parameters = Sequential([Flatten(), Linear(1000), Linear(2)], (1, 32, 32))
    shards = 2**27 // many_parameters.parameter_count
    assert shards * 32 < memory.samples_at_once(many_parameters) * 2 <= shards * 64


def test_a_program_that_only_infers_has_no_gradients_or_targets() -> None:
    session = InferenceSession(NETWORK, batch_size=3, dtype=FLOAT)
    vectors, batch = session.vectors, session.samples
    assert vectors.shards.size == vectors.gradient.size == vectors.numbers.size == 0
    assert not vectors.optimizer
    assert vectors.theta.size == vectors.padded > vectors.count == 10
    assert batch.scale.tolist() == [1.0]
    assert not hasattr(batch, "targets")
    assert batch.outputs.size >= 3 * 2


def test_a_program_that_trains_has_them() -> None:
    session = TrainingSession(NETWORK, batch_size=3, loss="cross_entropy", optimizer="adam", dtype=FLOAT)
    vectors, batch = session.vectors, session.samples
    assert vectors.gradient.size == vectors.padded
    assert vectors.shards.size % vectors.padded == 0
    assert sorted(vectors.optimizer) == ["first", "second"]
    assert len(batch.results) == 1
    assert not hasattr(batch, "outputs")
