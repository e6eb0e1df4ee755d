"""Winograd's algorithm can be turned off, everywhere a network runs; what it rounds more is what is stated."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Sequential, Trainer, load
from striate.cli.configuration import run_config
from striate.data.dataset import Dataset
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.errors import UsageError
from striate.layers import Conv2d, Conv3d, Flatten, Linear
from striate.model import Model
from striate.network import Network
from striate.reference import backward, forward

FLOAT = np.dtype(np.float32)


def wide(channels: int = 16) -> Network:
    return Sequential([Conv2d(channels, 3, padding="same", bias=False)], (channels, 12, 12))


def classifier() -> Network:
    return Sequential([Conv2d(12, 3, padding="same"), Flatten(), Linear(3)], (12, 8, 8))


def kernels(session: InferenceSession | TrainingSession) -> set[str]:
    """Return the names of all kernels of a plan."""
    return {request.name for request in session.program.requests()}


def data(count: int = 24) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(count, 12, 8, 8)).astype(np.float32), np.arange(count) % 3, ("a", "b", "c"))


@pytest.mark.parametrize("winograd", [True, False])
def test_plans_use_it_only_if_they_may(winograd: bool) -> None:
    options = {"batch_size": 8, "dtype": FLOAT, "winograd": winograd}
    inference = InferenceSession(wide(), **options)  # type: ignore[arg-type]
    training = TrainingSession(wide(), loss="mean_squared_error", optimizer="adam", **options)  # type: ignore[arg-type]
    for session in (inference, training):
        assert any("winograd" in name for name in kernels(session)) is winograd


def test_whole_numbers_are_exact_without_it() -> None:
    network, rng = wide(), np.random.default_rng(0)
    theta = rng.integers(-3, 4, network.parameter_count).astype(np.float32)
    x = rng.integers(-3, 4, (5, *network.input_shape)).astype(np.float32)
    truth = forward(network, theta, x).output
    assert np.array_equal(Model(network, theta, winograd=False).outputs(x), truth)
    assert not np.array_equal(Model(network, theta).outputs(x), truth)


@pytest.mark.parametrize("batch", [2, 40])
def test_flat_kernels_on_volumes_are_summed_on_every_plane(batch: int) -> None:
    network, rng = Sequential([Conv3d(16, (1, 3, 3), padding=(0, 1, 1))], (16, 3, 12, 12)), np.random.default_rng(0)
    theta = rng.integers(-3, 4, network.parameter_count).astype(np.float32)
    x = rng.integers(-3, 4, (batch, *network.input_shape)).astype(np.float32)
    assert np.array_equal(Model(network, theta).outputs(x), forward(network, theta, x).output)


@pytest.mark.parametrize("channels", [16, 64])
def test_errors_are_a_few_times_those_of_direct_sums(channels: int) -> None:
    """Root mean square of the errors of random values: 4 to 5 times, as the documentation says."""
    network, rng = wide(channels), np.random.default_rng(channels)
    theta = rng.normal(size=network.parameter_count).astype(np.float32)
    x = rng.normal(size=(16, *network.input_shape)).astype(np.float32)
    run = forward(network, theta, x)
    wanted = rng.normal(size=run.output.shape)
    slope, _ = backward(run, 2 * wanted / wanted.size)
    errors = []
    for winograd in (False, True):
        outputs = Model(network, theta, winograd=winograd).outputs(x) - run.output
        errors.append((_size(outputs), _size(_gradient(network, theta, x, run.output - wanted, winograd) - slope)))
    (direct, direct_slope), (fast, fast_slope) = errors
    assert 2.5 < fast / direct < 6
    assert 2.5 < fast_slope / direct_slope < 6


def _size(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def _gradient(
    network: Network, theta: np.ndarray, x: np.ndarray, targets: np.ndarray, winograd: bool
) -> np.ndarray:
    session = TrainingSession(
        network, batch_size=len(x), loss="mean_squared_error", optimizer="gradient_descent",
        dtype=FLOAT, winograd=winograd,
    )  # fmt: skip
    session.vectors.theta[: len(theta)] = theta
    session.step(x, np.arange(len(x)), targets.reshape(len(x), -1), (0.0,))
    session.team.rest()
    return session.vectors.gradient[: len(theta)].copy()


def test_a_training_keeps_to_what_it_was_told(tmp_path) -> None:
    trainers = [Trainer(classifier(), seed=1, batch_size=8, winograd=winograd) for winograd in (True, False, False)]
    for trainer in trainers:
        trainer.fit(data(), epochs=2)
    with_it, without, again = (trainer.model.theta for trainer in trainers)
    assert without.tobytes() == again.tobytes()
    assert with_it.tobytes() != without.tobytes()
    np.testing.assert_allclose(with_it, without, rtol=1e-3, atol=1e-4)
    assert not any("winograd" in name for name in kernels(trainers[1].state.session))
    path = trainers[1].model.save(tmp_path / "model.safetensors")
    x = data().inputs
    assert np.array_equal(load(path, winograd=False).outputs(x), trainers[1].model.outputs(x))
    assert not np.array_equal(load(path).outputs(x), trainers[1].model.outputs(x))


def test_a_training_cannot_go_on_otherwise(tmp_path) -> None:
    trainer = Trainer(classifier(), batch_size=8, winograd=False)
    trainer.fit(data(), epochs=1)
    path = trainer.save_checkpoint(tmp_path / "checkpoint.safetensors")
    with pytest.raises(UsageError, match="winograd was False, got True"):
        Trainer(classifier(), batch_size=8).restore(path)
    Trainer(classifier(), batch_size=8, winograd=False).restore(path)


def test_it_is_on_or_off() -> None:
    for build in (lambda: Trainer(classifier(), winograd="no"), lambda: Model(wide(), np.zeros(2304), winograd=0)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="winograd: must be True or False; got"):
            build()


def test_the_command_line_can_turn_it_off() -> None:
    assert run_config({"dataset": "digits", "winograd": False}).training.winograd is False
    assert run_config({"dataset": "digits"}).training.winograd is True
