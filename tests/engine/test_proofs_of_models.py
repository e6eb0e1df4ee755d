"""Programs of every model, of models in whole numbers and of ranks are proven, for batches of many sizes."""

from __future__ import annotations

import numpy as np
import pytest

from striate.distributed.combining import combining_program
from striate.distributed.parts import segments_of_ranks, shards_of_ranks
from striate.engine.program import Program
from striate.engine.updates import UPDATES
from striate.engine.verify import verify
from striate.errors import StriateError
from striate.machine import LANES, byte_products
from striate.model import Model
from striate.models.registry import MODELS, build
from striate.network import Network
from striate.testing.choices import Seeded
from striate.testing.operations import OPERATIONS
from support.programs import channel_program, inference_program, network_of, training_program

SHAPES = ((1, 8, 8), (3, 32, 32), (3, 64, 64), (1, 64), (1, 16, 16, 16))
THREADS = {1: 1, 2: 2, 3: 5, 8: 20, 20: 1, 64: 5}
"""Threads for each size of a batch; more threads than shards make gangs."""
QUICK = ("digit_recogniser", "lenet5", "mlp", "unet")
LOSSES = ("cross_entropy", "mean_squared_error")


def small(name: str) -> Network:
    """Return a model for the first of some small inputs that it takes."""
    for shape in SHAPES:
        try:
            return build(name, 3, shape)
        except StriateError:
            continue
    return build(name)


def prove(program: Program) -> None:
    """Verify a program for a full batch, and for batches of one shard and two."""
    verify(program, {min(few, program.shards) for few in (1, 2, program.shards)})


def prove_all(network: Network, batch: int, choice: int = 0) -> None:
    """Verify inference in both layouts and a training step."""
    lanes, threads = LANES[(batch + choice) % len(LANES)], THREADS[batch]
    prove(inference_program(network, lanes, batch, threads))
    channels = channel_program(network, lanes, batch, threads)
    verify(channels, [channels.shards])  # dense layers compute the samples that a smaller batch lacks, too
    loss, optimizer = LOSSES[choice % 2], sorted(UPDATES)[(batch + choice) % len(UPDATES)]
    prove(training_program(network, lanes, batch, loss, optimizer, threads))


@pytest.mark.parametrize("batch", THREADS)
@pytest.mark.parametrize("name", QUICK)
def test_programs_of_small_models_are_proven(name: str, batch: int) -> None:
    prove_all(small(name), batch)


@pytest.mark.slow
@pytest.mark.parametrize("batch", THREADS)
@pytest.mark.parametrize("name", sorted(MODELS))
def test_programs_of_every_model_are_proven(name: str, batch: int) -> None:
    prove_all(small(name), batch, sorted(MODELS).index(name))


@pytest.mark.slow
@pytest.mark.parametrize("batch", THREADS)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_programs_of_every_operation_are_proven(name: str, batch: int) -> None:
    for seed in range(2):
        prove_all(network_of(OPERATIONS[name].draw(Seeded(seed))), batch, seed)


@pytest.mark.parametrize("name", ["lenet5", pytest.param("mobilenet_v2", marks=pytest.mark.slow)])
def test_programs_of_whole_numbers_are_proven(name: str) -> None:
    network = build(name, 3, (3, 32, 32))
    random = np.random.default_rng(0)
    theta = random.normal(scale=0.1, size=network.parameter_count).astype(np.float32)
    samples = random.normal(size=(4, *network.input_shape)).astype(np.float32)
    whole = Model(network, theta).quantise(samples).network
    for batch, threads in THREADS.items():
        for products in {"plain", byte_products(8)}:
            program = channel_program(whole, 8, batch, threads, products)
            verify(program, [program.shards])


@pytest.mark.parametrize("optimizer", sorted(name for name, update in UPDATES.items() if not update.layerwise))
@pytest.mark.parametrize("ranks", [2, 3])
def test_programs_that_combine_ranks_are_proven(ranks: int, optimizer: str) -> None:
    for length, shards in ((128, 3), (30400, 8)):
        parts, segments = shards_of_ranks(shards, ranks), segments_of_ranks(length, ranks)
        for rank in range(ranks):
            for summed in ([], [(0, 64)]):
                program = combining_program(8, length, parts, rank, segments[rank], summed, optimizer)
                assert program.shards == shards
                verify(program, range(1, shards + 1))
