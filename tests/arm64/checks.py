"""What runs on the emulated processor: operations against the reference, and LeNet-5's training."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

CASES = 3  # of every operation
STEPS = 5


def main() -> None:
    """Run the checks that the file named first does not list yet, for as many seconds as are named second."""
    done, end = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2])
    passed = set(done.read_text().splitlines()) if done.exists() else set()
    left = [(name, check) for name, check in _checks() if name not in passed]
    for number, (name, check) in enumerate(left):
        if time.monotonic() > end:
            print(f"{len(left) - number} checks left")
            sys.exit(2)
        begin = time.monotonic()
        check()
        with done.open("a") as file:
            file.write(name + "\n")
        print(f"{name}: passed in {time.monotonic() - begin:.0f} s", flush=True)
    print(f"all {len(passed) + len(left)} checks passed")


def _checks() -> Iterator[tuple[str, Callable[[], None]]]:
    from striate.testing.operations import OPERATIONS

    yield "LeNet-5's training", _train_lenet5
    for name in OPERATIONS:
        yield name, lambda name=name: _compare(name)


def _train_lenet5() -> None:
    """Take steps of gradient descent in the engine and in the reference, from the same parameters."""
    from striate import models
    from striate.engine.training_session import TrainingSession
    from striate.reference import backward, forward
    from striate.training.initialisation import initialise

    network, rng, rate, batch = models.lenet5(), np.random.default_rng(0), 0.05, 16
    start, _ = initialise(network, "lecun", 0)
    samples = rng.normal(size=(batch, *network.input_shape)).astype(np.float32)
    labels = rng.integers(0, 10, batch)
    session = TrainingSession(
        network, batch_size=batch, loss="cross_entropy", optimizer="gradient_descent", dtype=np.dtype(np.float32),
        threads=2,
    )  # fmt: skip
    session.vectors.theta[: len(start)] = start
    theta = start.astype(np.float64)
    for number in range(1, STEPS + 1):
        losses, _ = session.step(samples, np.arange(batch), labels, (rate,), seed=0, number=number)
        run = forward(network, theta, samples.astype(np.float64), training=True, seed=0, step=number)
        expected = -np.log(run.output[np.arange(batch), labels])
        np.testing.assert_allclose(losses[:batch], expected, rtol=1e-4)
        grad = np.zeros_like(run.output)
        grad[np.arange(batch), labels] = -1.0 / run.output[np.arange(batch), labels] / batch
        theta -= rate * backward(run, grad)[0]
    moved = np.abs(theta - start).max()
    assert np.abs(session.vectors.theta[: len(theta)] - theta).max() < 1e-4 * moved


def _compare(name: str) -> None:
    """Compare an operation with its reference: forward, backward and update, in vectors of 4 samples."""
    from engine import test_operations
    from striate.testing.choices import Seeded
    from striate.testing.operations import OPERATIONS

    test_operations.LANES = test_operations.LANES[:1]
    for seed in range(CASES):
        test_operations.compare(OPERATIONS[name], Seeded(seed))


if __name__ == "__main__":
    main()
