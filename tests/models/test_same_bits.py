"""Networks of ``striate.models`` have the same bits on more threads than there are cores or shards."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.training_session import TrainingSession
from striate.model import Model
from striate.models.registry import build
from striate.network import Network
from striate.training.initialisation import initialise

SHAPES = {
    "digit_recogniser": (1, 28, 28),
    "lenet5": (1, 28, 28),
    "lenet5_1998": (1, 32, 32),
    "logistic_regression": (20,),
    "mlp": (30,),
    "mobilenet_v2": (3, 32, 32),
    "series_cnn": (2, 200),
    "signal_cnn": (1, 1024),
    "small_vgg": (3, 32, 32),
    "squeezenet1_1": (3, 64, 64),
    "voxnet": (1, 16, 16, 16),
}
BATCH = 20


def trained(network: Network, threads: int) -> tuple[bytes, ...]:
    """Return losses, parameters and states after two steps."""
    theta, states = initialise(network, "he", 1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, *network.input_shape)).astype(np.float32)
    y = rng.integers(0, network.output_shape[0], BATCH)
    session = TrainingSession(
        network,
        batch_size=BATCH,
        loss="cross_entropy",
        optimizer="momentum",
        dtype=np.dtype(np.float32),
        threads=threads,
    )
    session.vectors.theta[: len(theta)], session.vectors.states[: len(states)] = theta, states
    losses = [session.step(x, np.arange(BATCH), y, (0.01, 0.9), seed=1, number=k)[0].tobytes() for k in range(2)]
    return (*losses, session.vectors.theta.tobytes(), session.vectors.states.tobytes())


def outputs(network: Network, threads: int) -> list[bytes]:
    """Return the outputs of batches of several sizes, which run in both layouts."""
    theta, states = initialise(network, "he", 1)
    x = np.random.default_rng(0).normal(size=(BATCH, *network.input_shape)).astype(np.float32)
    model = Model(network, theta, states=states, threads=threads)
    return [model.outputs(x[:count]).tobytes() for count in (1, 5, BATCH)]


@pytest.mark.parametrize("name", SHAPES)
def test_threads_change_no_bit(name: str) -> None:
    network = build(name, 5, SHAPES[name])
    first = trained(network, 1), outputs(network, 1)
    for threads in (3, 16):
        assert (trained(network, threads), outputs(network, threads)) == first
