"""Gangs of threads: a shard's calls dealt out to several threads, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.test_training import NETWORKS, adam, data, result, session_for, train
from striate.engine import dealing
from striate.engine.analysis import analyse
from striate.engine.cutting import axes, cut, kernel_of
from striate.engine.inference_session import InferenceSession
from striate.engine.memory import Sizes
from striate.engine.plan import begin, emit_load, lower_forward
from striate.engine.verify import verify
from striate.kernels.access import ACCESS, CUTS
from striate.machine import LANES, default_lanes
from striate.testing.choices import Seeded
from striate.testing.operations import OPERATIONS
from striate.training.initialisation import initialise
from support.programs import inference_program, network_of, training_program

NAMES = sorted(OPERATIONS)
FLOAT = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _cut_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut calls that are far too small to be worth it."""
    monkeypatch.setattr(dealing, "LEAST_VECTORS", 1)


@pytest.mark.parametrize("name", NAMES)
def test_programs_of_gangs_are_proven(name: str) -> None:
    """No part reads or writes what another part of its phase writes."""
    lanes = LANES[NAMES.index(name) % len(LANES)]
    net = network_of(OPERATIONS[name].draw(Seeded(lanes)))
    program = training_program(net, lanes, threads=20)
    assert max(phase.each for phase in program.phases) > 1
    verify(program, [program.shards])
    verify(inference_program(net, lanes, threads=20), [1])


@pytest.mark.parametrize("name", [name for name in NAMES if "embedding" not in name])  # needs symbols
def test_gangs_change_no_bit_of_any_operation(name: str) -> None:
    lanes = LANES[NAMES.index(name) % len(LANES)]
    network = network_of(OPERATIONS[name].draw(Seeded(lanes)))
    rng = np.random.default_rng(lanes)
    x = rng.normal(size=(40, *network.input_shape)).astype(np.float32)
    y = rng.normal(size=(40, *network.output_shape)).astype(np.float32)
    results = []
    for threads in (1, 20):
        session = session_for(network, batch=40, threads=threads, lanes=lanes, loss="mean_squared_error")
        losses, _ = session.step(x, np.arange(40), y, adam(1), seed=3, number=0)
        results.append((losses.tobytes(), result(session)))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_gangs_change_no_bit(name: str) -> None:
    network = NETWORKS[name]()
    samples, labels = data(network, 130)
    results = []
    for threads in (1, 5, 8, 16):
        session = session_for(network, batch=50, threads=threads)
        losses = train(session, samples, labels, steps=5, batch=50)
        results.append((losses, result(session)))
    assert all(each == results[0] for each in results)


@pytest.mark.parametrize("name", NETWORKS)
def test_inference_with_gangs_has_the_same_bits(name: str) -> None:
    network = NETWORKS[name]()
    theta, states = initialise(network, "he", 5)
    samples, _ = data(network, 70)
    outputs = []
    for threads in (1, 3, 16):
        session = InferenceSession(network, batch_size=70, dtype=FLOAT, threads=threads)
        session.load(theta, states)
        outputs.append(session.run(samples, np.arange(70)).tobytes())
    assert outputs[0] == outputs[1] == outputs[2]


def test_every_kernel_that_may_be_cut_says_what_it_reads_and_writes() -> None:
    assert set(CUTS) <= set(ACCESS)


def _row(kernel: str) -> tuple[Any, Any]:
    """Return the program of LeNet-5 before it is finished, and the largest of its rows with a kernel."""
    network = NETWORKS["LeNet-5"]()
    facts = analyse(network, Sizes.of(64, default_lanes()), FLOAT)
    lowering = begin(facts)
    emit_load(lowering)
    lower_forward(lowering, facts.outputs)
    rows = [row for row in lowering.rows if kernel_of(row) == kernel]
    return lowering.program, max(rows, key=lambda row: row.arguments["place_count"])


@pytest.mark.parametrize("wanted", [1, 2, 3, 7])
def test_parts_cover_the_whole_and_are_even(wanted: int) -> None:
    program, row = _row("correlation.correlate")
    parts = cut(program, row, wanted)
    assert 1 <= len(parts) <= wanted
    changed = [
        axis for axis in axes(row) if any(p.arguments[axis.count] != row.arguments[axis.count] for p in parts)
    ]
    for axis in changed:
        counts = [part.arguments[axis.count] for part in parts]
        assert sum(counts) == row.arguments[axis.count]
        assert max(counts) - min(counts) <= axis.tile
        assert all(count % axis.tile == 0 for count in counts[:-1])
    assert len(changed) == (wanted > 1)


def test_few_threads_get_a_task_for_each_shard() -> None:
    net = NETWORKS["LeNet-5"]()
    program = training_program(net, default_lanes(), batch=8 * default_lanes(), threads=4)
    assert {phase.each for phase in program.phases} == {0, 1}
