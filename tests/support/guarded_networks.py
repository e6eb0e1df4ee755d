"""Uses random networks in every way that the engine has, with samples between protected pages."""

from __future__ import annotations

import numpy as np

from engine.test_networks import parameters
from striate.engine.channels.session import ChannelSession
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.machine import LANES
from striate.network import Network
from striate.training.optimizers import OPTIMIZERS, Optimizer
from support.graphs import random_network
from support.guard import moved


def use(seed: int, end: str) -> None:
    """Run a network forward in both layouts and train it; the seed decides on lanes, threads, batch, optimizer."""
    network, rng = random_network(seed), np.random.default_rng(seed)
    lanes, threads, batch = LANES[seed % 3], 1 + seed // 3 % 3, int(rng.integers(1, 40))
    theta, dtype = parameters(network, seed), np.dtype((np.uint8, np.float32)[seed // 9 % 2])
    samples = moved(rng.integers(0, 256, (batch, *network.input_shape)).astype(dtype), end)
    for kind in (InferenceSession, ChannelSession):
        session = kind(network, batch_size=batch, dtype=dtype, threads=threads, lanes=lanes)
        session.vectors.theta[: len(theta)] = theta
        session.pack()
        for count in {batch, max(1, batch - 1)}:
            session.run(samples, moved(np.sort(rng.choice(batch, count, replace=False)), end))
    _train(network, theta, samples, threads, lanes, list(OPTIMIZERS.values())[seed % len(OPTIMIZERS)](), end)


def _train(
    network: Network,
    theta: np.ndarray,
    samples: np.ndarray,
    threads: int,
    lanes: int,
    rule: Optimizer,
    end: str,
) -> None:
    targets = moved(np.zeros((len(samples), *network.output_shape), np.float32), end)
    session = TrainingSession(
        network, batch_size=len(samples), loss="mean_squared_error", optimizer=rule.kernel, dtype=samples.dtype,
        threads=threads, lanes=lanes,
    )  # fmt: skip
    session.vectors.theta[: len(theta)] = theta
    for number in (1, 2):
        session.step(
            samples, moved(np.arange(len(samples)), end), targets, rule.numbers(number, 1e-3), seed=0, number=number
        )
