"""What a process holds does not grow with epochs, trainers, predictions or batch sizes.

Memory is what Python and NumPy have allocated and not freed (``tracemalloc``), which is exact; the resident memory
of a process depends on the allocator.
"""

from __future__ import annotations

import gc
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pytest

from striate import Model, Trainer
from striate.data.augmentation import Augmentation, Rotation
from striate.training.callbacks import Callback, Checkpoint, CSVLog, EarlyStopping, ReduceOnPlateau
from tasks import rich_network, small_network, stripes

RECORD_BYTES = 6000  # of an epoch in the history, which is meant to stay
LEAST_LEAK = 2000  # bytes for each repetition; the smallest plan takes twenty times as many


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held() -> tuple[int, int, int]:
    """Return the bytes that are allocated, the threads that live and the files that are open."""
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    return tracemalloc.get_traced_memory()[0], threading.active_count(), descriptors


class Watch(Callback):
    """Notes what is held after some epochs."""

    name = "watch"

    def __init__(self, *epochs: int) -> None:
        self.epochs, self.found = epochs, []

    def on_epoch_end(self, trainer, record) -> None:
        if record.epoch in self.epochs:
            self.found.append(held())


@pytest.mark.usefixtures("traced")
def test_epochs_leave_nothing_but_their_records(tmp_path: Path) -> None:
    own = [Checkpoint(tmp_path, keep=2), EarlyStopping(patience=999), ReduceOnPlateau(), CSVLog(tmp_path / "a")]
    trainer, watch = (
        Trainer(rich_network(), batch_size=32, augmentation=Augmentation([Rotation(10)])),
        Watch(20, 60),
    )
    trainer.fit(stripes(100), stripes(40, 1), 60, [*own, watch])
    (bytes_before, *before), (bytes_after, *after) = watch.found
    assert bytes_after - bytes_before < 40 * RECORD_BYTES
    assert after == before


def growth(action: Callable[[], object], times: int) -> tuple[int, int, int]:
    """Return by how much what is held grows while an action is repeated.

    It is the least of four rounds: a table of the interpreter sometimes doubles, but a leak grows in every round.
    """
    found = [held()]
    for _ in range(5):
        for _ in range(times):
            action()
        found.append(held())
    rounds = [tuple(b - a for a, b in zip(*pair, strict=True)) for pair in pairwise(found[1:])]
    return min(rounds)


@pytest.mark.usefixtures("traced")
def test_trainers_that_are_dropped_leave_nothing() -> None:
    data = stripes(40)
    grown, *others = growth(lambda: Trainer(small_network(), batch_size=20).fit(data, epochs=1), 8)
    assert grown < 8 * LEAST_LEAK
    assert others == [0, 0]


@pytest.mark.usefixtures("traced")
def test_models_that_are_dropped_leave_nothing() -> None:
    network = small_network()
    theta, samples = np.zeros(network.parameter_count, np.float32), stripes(40).inputs
    grown, *others = growth(lambda: Model(network, theta).predict(samples), 8)
    assert grown < 8 * LEAST_LEAK
    assert others == [0, 0]


@pytest.mark.usefixtures("traced")
def test_batch_sizes_leave_a_bounded_number_of_sessions() -> None:
    network = small_network()
    model, samples = Model(network, np.zeros(network.parameter_count, np.float32)), stripes(200).inputs
    sizes = cycle(range(1, 60))
    grown, *others = growth(lambda: model.predict(samples[:60], batch_size=next(sizes)), 59)
    assert grown < 59 * LEAST_LEAK
    assert others == [0, 0]


@pytest.mark.usefixtures("traced")
def test_what_leaks_is_found() -> None:
    kept: list[bytes] = []
    assert growth(lambda: kept.append(bytes(1000)), 8)[0] > 8 * 1000
