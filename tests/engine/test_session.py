"""What a session refuses, and what a plan may use of memory."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.engine import memory
from striate.engine.inference_session import InferenceSession
from striate.engine.layout import Arena
from striate.engine.lowering.correlation import ended_pairs, merge_blocks, whole_tiles
from striate.engine.memory import BLOCKS, SHARDS, Sizes
from striate.engine.training_session import TrainingSession
from striate.errors import CapacityError, ShapeError, UsageError
from striate.layers import AdaptiveAvgPool2d, Conv2d, Flatten, Linear, Pad, ReLU, Upsample
from striate.network import Network, Sequential

FLOAT = np.dtype(np.float32)


def network() -> Network:
    return Sequential([Conv2d(3, 3), ReLU(), Flatten(), Linear(4)], (2, 8, 8), "small")


def training(**options: object) -> TrainingSession:
    arguments = {"batch_size": 20, "loss": "cross_entropy", "optimizer": "adam", "dtype": FLOAT, **options}
    return TrainingSession(network(), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("free", [4096, 20_000])
def test_a_plan_that_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Known before anything is allocated, or once the buffers are counted."""
    monkeypatch.setattr(memory, "available_memory", lambda: free)
    rule = r"small: batches of 20 need about \d+\.\d GB of memory; 0\.0 GB are available\. Use smaller batches"
    with pytest.raises(CapacityError, match=rule):
        training()
    with pytest.raises(CapacityError, match=rule):
        InferenceSession(network(), batch_size=20, dtype=FLOAT)
    monkeypatch.setattr(memory, "available_memory", lambda: 2**62)
    training()


@pytest.mark.parametrize("layers", [
    [Upsample(10**5)],
    [Upsample(10**5), Flatten(), Linear(2)],
    [Pad(10**5, "replicate")],
    [AdaptiveAvgPool2d(10**6)],
    [Flatten(), Linear(10**6), Linear(10**6)],
])  # fmt: skip
def test_what_no_machine_can_hold_is_refused_before_anything_is_allocated(layers: list) -> None:
    huge = Sequential(layers, (1, 4, 4), "huge")
    rule = r"huge: batches of \d+ need about [\d,]+\.\d GB of memory; [\d.]+ GB are available"
    with pytest.raises(CapacityError, match=rule):
        InferenceSession(huge, batch_size=4, dtype=FLOAT)
    if huge.parameter_count:
        with pytest.raises(CapacityError, match=rule):
            Trainer(huge)
        with pytest.raises(CapacityError, match=rule):
            TrainingSession(
                huge, batch_size=4, loss="mean_squared_error", optimizer="gradient_descent", dtype=FLOAT
            )


def test_offsets_beyond_32_bits_are_refused() -> None:
    with pytest.raises(CapacityError, match=r"a layer may span at most 2\^31 values"):
        ended_pairs(np.array([[0, 2**31]]))
    ended_pairs(np.array([[2**31 - 1, -(2**31) + 1]]))


def test_pairs_of_offsets_in_one_number() -> None:
    pairs = np.array([[5, 7], [-5, 7], [5, -7], [-1, -1], [2**31 - 1, 0]])
    table = ended_pairs(pairs)
    assert table[-1] == -(2**63)
    low = (table[:-1] & 0xFFFFFFFF).astype(np.uint32).astype(np.int32)
    np.testing.assert_array_equal(low, pairs[:, 0])
    np.testing.assert_array_equal(table[:-1] >> 32, pairs[:, 1])


def test_tables_are_filled_to_whole_tiles_with_their_last_entry() -> None:
    table = np.arange(10).reshape(5, 2)
    np.testing.assert_array_equal(whole_tiles(table, 4)[5:], [[8, 9]] * 3)
    np.testing.assert_array_equal(whole_tiles(table, 5), table)


def test_places_of_all_blocks_in_one_table() -> None:
    places = np.array([[0, 0], [4, 8]])
    merged, blocks = merge_blocks(places, 3, 100, 1000)
    assert blocks == 1
    np.testing.assert_array_equal(merged, [[0, 0], [4, 8], [100, 1000], [104, 1008], [200, 2000], [204, 2008]])


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_the_cut_of_a_batch(lanes: int) -> None:
    for batch in range(1, 400):
        sizes = Sizes.of(batch, lanes, 1000)
        assert sizes.lanes == lanes
        assert 1 <= sizes.blocks <= BLOCKS
        assert sizes.samples * sizes.shards >= batch > sizes.samples * (sizes.shards - 1)
        blocks = -(-batch // lanes)
        assert sizes.shards >= min(SHARDS, blocks) - 1


def test_inference_uses_memory_again() -> None:
    deep = Sequential([layer for _ in range(12) for layer in (Conv2d(4, 1), ReLU())], (4, 10, 10))
    session = InferenceSession(deep, batch_size=16, dtype=FLOAT, lanes=16)
    one = Arena(16, session.facts.sizes.blocks).allocate((4, 10, 10)).size
    assert session.bound.arena_floats <= 3 * one


@pytest.mark.parametrize(("samples", "got"), [
    (np.zeros((20, 2, 8, 8)), "float64, 2 x 8 x 8"),
    (np.zeros((20, 2, 8, 8), np.uint8), "uint8, 2 x 8 x 8"),
    (np.zeros((20, 8, 8, 2), np.float32), "float32, 8 x 8 x 2"),
])  # fmt: skip
def test_samples_that_the_kernels_would_misread_are_refused(samples: np.ndarray, got: str) -> None:
    session = InferenceSession(network(), batch_size=20, dtype=FLOAT)
    with pytest.raises(ShapeError, match=f"small: this plan takes float32 samples of 2 x 8 x 8; got {got}"):
        session.run(samples, np.arange(20))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_step_is_its_gradient_and_its_update(threads: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, *network().input_shape)).astype(np.float32)
    y = rng.integers(0, 3, 40)
    how = {"batch_size": 40, "optimizer": "gradient_descent", "threads": threads}
    halves, whole = (training(**how) for _ in range(2))
    for session in (halves, whole):
        session.vectors.theta[: session.vectors.count] = np.random.default_rng(1).normal(size=session.vectors.count)
    for number in range(3):
        before = halves.vectors.theta.copy()
        losses, _ = halves.step(x, np.arange(40), y, (0.1,), number=number, update=False)
        halves.team.rest()
        assert np.array_equal(halves.vectors.theta, before)
        assert np.array_equal(losses, whole.step(x, np.arange(40), y, (0.1,), number=number)[0])
        assert np.array_equal(halves.vectors.gradient, whole.vectors.gradient)
        halves.vectors.gradient[:] *= 2.0
        halves.update()
        np.testing.assert_allclose(
            halves.vectors.theta - before, 2.0 * (whole.vectors.theta - before), rtol=1e-3, atol=1e-6
        )
        halves.vectors.theta[:] = whole.vectors.theta


@pytest.mark.parametrize(("targets", "weights", "rule"), [
    (19, 20, r"targets of 1 numbers each; got shape \[19\]"),
    (60, 20, r"targets of 1 numbers each; got shape \[60\]"),
    (20, 19, r"one weight each; got shape \[19\]"),
])  # fmt: skip
def test_samples_targets_and_weights_are_of_one_number(targets: int, weights: int, rule: str) -> None:
    samples = np.zeros((20, 2, 8, 8), np.float32)
    with pytest.raises(ShapeError, match=f"small: 20 samples need {rule}"):
        training().step(samples, np.arange(20), np.zeros(targets), (0.1,) * 7, np.ones(weights, np.float32))


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.float16])
def test_plans_for_other_kinds_of_numbers_are_refused(kind: type) -> None:
    with pytest.raises(UsageError, match=r"small: a plan reads uint8 or float32; got .* Convert the samples"):
        InferenceSession(network(), batch_size=4, dtype=np.dtype(kind))
    with pytest.raises(UsageError, match="small: a plan reads uint8 or float32"):
        training(dtype=np.dtype(kind))


@pytest.mark.parametrize(("index", "rule"), [
    ([2**40], r"must be 0 to 19; got 1099511627776\. Use numbers of existing samples"),
    ([0, 20], "must be 0 to 19; got 20"),
    ([3, -1], "must be 0 to 19; got -1"),
    ([], r"must be 1 to 20 integers.*got float64, shape \[0\]"),
    ([0] * 21, r"must be 1 to 20 integers.*got int64, shape \[21\]\. Split the batch"),
    ([[0], [1]], r"must be 1 to 20 integers.*got int64, shape \[2, 1\]"),
    ([0.0, 1.0], r"must be 1 to 20 integers.*got float64, shape \[2\]"),
])  # fmt: skip
def test_numbers_of_samples_that_do_not_exist_are_refused(index: list, rule: str) -> None:
    samples, numbers = np.zeros((20, 2, 8, 8), np.float32), np.array(index)
    with pytest.raises(UsageError, match=f"small: numbers of samples: {rule}"):
        InferenceSession(network(), batch_size=20, dtype=FLOAT).run(samples, numbers)
    with pytest.raises(UsageError, match=f"small: numbers of samples: {rule}"):
        training().step(samples, numbers, np.zeros(len(index)), (0.1,) * 7)
