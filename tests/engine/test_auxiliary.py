"""Auxiliary outputs: their losses count in training, their layers are left out at inference."""

from __future__ import annotations

import numpy as np
import pytest

from striate import models, reference
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.errors import ShapeError
from striate.layers import BatchNorm, Conv2d, Flatten, Input, Linear, MaxPool2d, ReLU, Softmax
from striate.losses import Loss
from striate.machine import LANES
from striate.network import Network
from striate.reference.loss import softmax_cross_entropy

FLOAT = np.dtype(np.float32)
BATCH = 21


def network() -> Network:
    """Return a chain with two heads: one before, one behind a batch normalisation."""
    first = ReLU()(Conv2d(4, 3, padding=1)(Input((2, 6, 6))))
    second = ReLU()(BatchNorm()(Conv2d(6, 3, padding=1)(MaxPool2d(2)(first))))
    third = ReLU()(Conv2d(5, 3, padding=1)(second))
    heads = [Softmax()(Linear(3)(Flatten()(first))), Linear(3)(Flatten()(second))]
    return Network(Softmax()(Linear(3)(Flatten()(third))), auxiliary=heads)


def train(net: Network, theta: np.ndarray, samples: np.ndarray, labels: np.ndarray, **options: object) -> tuple:
    """Return the session after a step that changes nothing, and the losses of the output."""
    session = TrainingSession(
        net,
        batch_size=len(samples),
        loss="cross_entropy",
        optimizer="gradient_descent",
        dtype=FLOAT,
        **options,  # type: ignore[arg-type]
    )
    session.vectors.theta[: len(theta)] = theta
    losses, _ = session.step(samples, np.arange(len(samples)), labels, (0.0,))
    session.team.rest()
    return session, losses


def draw(net: Network) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    theta = rng.normal(0, 0.3, net.parameter_count).astype(np.float32)
    return theta, rng.normal(size=(BATCH, *net.input_shape)).astype(np.float32), rng.integers(0, 3, BATCH)


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("weight", [0.3, 0.0])
def test_gradient_is_that_of_the_weighted_sum_of_losses(lanes: int, weight: float) -> None:
    net = network()
    theta, samples, labels = draw(net)
    session, losses = train(net, theta, samples, labels, lanes=lanes, auxiliary_weight=weight)
    run = reference.forward(net, theta, samples, training=True)
    total = np.zeros(net.parameter_count)
    heads = [(net.steps[-1].name, 1.0, losses)]
    heads += [(n, weight, r.losses[:BATCH]) for n, r in zip(net.auxiliary, session.auxiliary, strict=True)]
    for name, share, found in heads:
        at = Loss("cross_entropy").reads(net, name)
        truth, grad = softmax_cross_entropy(run.values[at], labels)
        np.testing.assert_allclose(found, truth, rtol=2e-5, atol=2e-5)
        total += reference.backward(run, share * grad / BATCH, at=at)[0]
    np.testing.assert_allclose(session.vectors.gradient[: len(total)], total, rtol=1e-4, atol=2e-6)


def test_inference_leaves_the_heads_out() -> None:
    net = network()
    theta, samples, _ = draw(net)
    session = InferenceSession(net, batch_size=BATCH, dtype=FLOAT)
    session.vectors.theta[: len(theta)] = theta
    outputs = session.run(samples, np.arange(BATCH))
    np.testing.assert_allclose(outputs, reference.forward(net, theta, samples).output, rtol=1e-4, atol=1e-6)
    assert not {net.step(name).name for name in net.auxiliary} & {row.where for row in session.program.rows}


def test_googlenet_has_two_heads_to_train() -> None:
    net = models.googlenet(3, (3, 64, 64), auxiliary=True)
    assert len(net.auxiliary) == 2


def test_heads_of_another_shape_are_refused() -> None:
    x = Input(4)
    net = Network(Linear(3)(x), auxiliary=[Linear(2)(x)])
    with pytest.raises(ShapeError, match=r"auxiliary outputs must have the shape of the output; got 2, 3"):
        train(net, np.zeros(net.parameter_count), np.zeros((1, 4), np.float32), np.zeros(1, int))


def test_a_head_may_be_the_value_that_the_output_is_made_of() -> None:
    hidden = Linear(3)(Input(4))
    net = Network(Softmax()(hidden), auxiliary=[hidden])
    theta, samples, labels = draw(net)
    session, _ = train(net, theta, samples, labels, auxiliary_weight=0.5)
    run = reference.forward(net, theta, samples)
    grad = 1.5 * softmax_cross_entropy(run.values["linear1"], labels)[1] / BATCH
    truth = reference.backward(run, grad, at="linear1")[0]
    np.testing.assert_allclose(session.vectors.gradient[: len(truth)], truth, rtol=1e-5, atol=1e-7)
