"""striate's side: a training step and inference, without the loop around them."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

from benchmarks.networks import Case, initial_parameters
from benchmarks.timing import Work
from striate.data.augmentation import Augmentation
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.distributed.starting import mpiexec_line
from striate.engine.inference_session import InferenceSession
from striate.engine.pool import make_session
from striate.engine.program import FORWARD
from striate.engine.simulation import Measured, measure
from striate.engine.training_session import TrainingSession
from striate.model import Model
from striate.network import Network
from striate.training.order import epoch_order
from striate.training.trainer import Trainer

RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def adam_numbers(t: int, rate: float = RATE) -> tuple[float, ...]:
    """Return what the Adam kernel reads in step ``t`` (from 1)."""
    return (rate, BETA1, BETA2, EPSILON, 1 / (1 - BETA1**t), 1 / (1 - BETA2**t), 0.0)


def training_session(
    network: Network, batch: int, dtype: type = np.uint8, threads: int | None = None
) -> TrainingSession:
    """Return a session for cross-entropy and Adam, bytes scaled to 0 to 1."""
    session = TrainingSession(
        network, batch_size=batch, loss="cross_entropy", optimizer="adam", dtype=np.dtype(dtype), threads=threads
    )
    session.vectors.theta[: network.parameter_count] = initial_parameters(network)
    channels = network.input_shape[0]
    session.normalise(np.zeros(channels), np.full(channels, 255.0))
    return session


def training(case: Case, x: np.ndarray, y: np.ndarray, batch: int, threads: int | None = None) -> Work:
    """Return the work of training steps: gathering bytes, forward, backward, Adam."""
    session = training_session(case.network(), batch, threads=threads)
    batches = [np.arange(first, first + batch) for first in range(0, len(x) - batch + 1, batch)]
    steps = 0

    def work(repetitions: int) -> None:
        nonlocal steps
        for _ in range(repetitions):
            index = batches[steps % len(batches)]
            steps += 1
            session.step(x, index, y[index], adam_numbers(steps))
        session.team.rest()

    return work


def measured_step(case: Case, x: np.ndarray, y: np.ndarray, batch: int, threads: int) -> Measured:
    """Return the tasks of a training step for so many threads, timed one by one."""
    session = training_session(case.network(), batch, threads=threads)
    for number in range(1, 3):
        session.step(x, np.arange(batch), y, adam_numbers(number))
    return measure(session.team, rounds=5, bandwidth=True)


def measured_sample(case: Case, x: np.ndarray, threads: int) -> Measured:
    """Return the tasks of computing one sample on so many threads, timed one by one."""
    network = case.network()
    session = make_session(network, 1, np.dtype(np.uint8), threads, winograd=True)
    session.load(initial_parameters(network), network.initial_states())
    session.run(x, np.arange(1))
    return measure(session.team, (FORWARD,), rounds=5, bandwidth=True)


def of_ranks(name: str, batch: int, count: int, threads: int) -> dict[str, float]:
    """Return what ``benchmarks.rank_program`` measures on so many ranks."""
    program = [sys.executable, "-m", "benchmarks.rank_program", name, str(batch), str(threads)]
    command = [*mpiexec_line(count), *program]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def bare_epochs(case: Case, x: np.ndarray, y: np.ndarray, batch: int) -> Work:
    """Return the work of the steps of whole epochs, in shuffled order, and of nothing else."""
    session, taken = training_session(case.network(), batch), 0

    def work(repetitions: int) -> None:
        nonlocal taken
        for epoch in range(repetitions):
            order = epoch_order(len(x), 0, epoch)
            for first in range(0, len(x), batch):
                index = order[first : first + batch]
                taken += 1
                session.step(x, index, y[index], adam_numbers(taken))
        session.team.rest()

    return work


def epochs(case: Case, x: np.ndarray, y: np.ndarray, batch: int, augmentation: Augmentation | None = None) -> Work:
    """Return the work of whole epochs with the trainer: order, augmentation, steps, history."""
    data = Dataset(x, y, classes=tuple(map(str, range(case.classes))), name="random")
    trainer = Trainer(case.network(), batch_size=batch, augmentation=augmentation)

    def work(repetitions: int) -> None:
        trainer.fit(data, epochs=repetitions)

    return work


def inference(case: Case, x: np.ndarray, batch: int, threads: int | None = None) -> Work:
    """Return the work of inference, bytes scaled to 0 to 1."""
    network = case.network()
    channels = network.input_shape[0]
    normalisation = Normalisation((0.0,) * channels, (255.0,) * channels)
    model = Model(network, initial_parameters(network), normalisation=normalisation, threads=threads)
    predictor = model.predictor(batch, np.uint8)
    data = [x[first : first + batch] for first in range(0, len(x) - batch + 1, batch)]

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            predictor(data[i % len(data)])

    return work


def inference_session(network: Network, batch: int, threads: int | None = None) -> InferenceSession:
    """Return a session for inference, bytes scaled to 0 to 1."""
    session = InferenceSession(network, batch_size=batch, dtype=np.dtype(np.uint8), threads=threads)
    session.vectors.theta[: network.parameter_count] = initial_parameters(network)
    channels = network.input_shape[0]
    session.normalise(np.zeros(channels), np.full(channels, 255.0))
    return session
