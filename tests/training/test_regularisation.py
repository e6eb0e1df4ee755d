from __future__ import annotations

import math

import numpy as np
import pytest

from striate import Trainer
from striate.errors import UsageError
from striate.layers import Conv2d, ConvTranspose2d, Flatten, Linear
from striate.network import Sequential
from striate.training import Adam, AdamW, Regularisation
from striate.training.regularisation import Regulariser
from striate.training.stepper import Flat
from tasks import small_network, stripes


class OneStep:
    """Gradient descent on the full batch, one step, with and without a regularisation."""

    def __init__(self, data, rate=0.5, **arguments):
        self.trainer = Trainer(
            small_network(),
            optimizer="sgd",
            learning_rate=rate,
            batch_size="full",
            regularisation=Regularisation(**arguments),
        )
        self.before = self.trainer.network.views(self.trainer.model.theta.copy())
        self.trainer.fit(data, epochs=1)
        self.after = self.trainer.network.views(self.trainer.model.theta)

    def moved(self, name):
        return self.after[name] - self.before[name]


def test_penalties_add_their_gradient_to_weights_alone(data):
    plain = OneStep(data)
    for arguments in ({"l1": 0.01}, {"l2": 0.02}, {"l1": 0.01, "l2": 0.02}, {"weight_decay": 0.02}):
        other = OneStep(data, **arguments)
        for name, w in plain.before.items():
            expected = arguments.get("l1", 0.0) * np.sign(w)
            expected = expected + (arguments.get("l2", 0.0) + arguments.get("weight_decay", 0.0)) * w
            expected = -0.5 * expected if name.endswith("weight") else 0 * w
            np.testing.assert_allclose(other.moved(name) - plain.moved(name), expected, atol=1e-6)


def test_decoupled_decay_is_that_of_adamw(data):
    thetas = []
    for optimizer, regularisation in ((Adam(), Regularisation(weight_decay=0.1)), (AdamW(weight_decay=0.1), None)):
        network = Sequential([Flatten(), Linear(3, bias=False)], (1, 8, 8))
        trainer = Trainer(network, optimizer=optimizer, regularisation=regularisation)
        trainer.fit(data, epochs=2)
        thetas.append(trainer.model.theta)
    np.testing.assert_allclose(thetas[0], thetas[1], rtol=1e-5, atol=1e-7)


def test_clipping_bounds_the_gradient(data):
    plain = OneStep(data)
    length = math.sqrt(sum(float((plain.moved(name) ** 2).sum()) for name in plain.before)) / 0.5
    by_norm, by_value, loose = (
        OneStep(data, clip_norm=length / 3),
        OneStep(data, clip_value=0.01),
        OneStep(data, clip_norm=9e9),
    )
    for name in plain.before:
        np.testing.assert_allclose(by_norm.moved(name), plain.moved(name) / 3, atol=1e-6)
        np.testing.assert_allclose(by_value.moved(name), np.clip(plain.moved(name), -0.005, 0.005), atol=1e-6)
        assert np.array_equal(loose.after[name], plain.after[name])
    assert max(np.abs(plain.moved(name)).max() for name in plain.before) > 0.005


def test_max_norm_bounds_the_weights_of_every_unit(data):
    plain, bounded = OneStep(data), OneStep(data, max_norm=0.8)
    for name, weight in bounded.after.items():
        rows = [w.reshape(len(w), -1) for w in (plain.after[name], weight)]
        lengths = [np.sqrt((row.astype(float) ** 2).sum(axis=1)) for row in rows]
        if name.endswith("weight"):
            np.testing.assert_allclose(lengths[1], np.minimum(lengths[0], 0.8), rtol=1e-6)
        else:
            assert np.array_equal(weight, plain.after[name])


def test_weight_noise_is_taken_back_and_repeats_with_the_seed(data):
    still = OneStep(data, rate=0.0, weight_noise=0.3)
    for name, values in still.before.items():
        assert np.array_equal(values, still.after[name])
    a, b, plain = OneStep(data, weight_noise=0.3), OneStep(data, weight_noise=0.3), OneStep(data)
    assert np.array_equal(a.after["conv1.weight"], b.after["conv1.weight"])
    assert not np.allclose(a.after["conv1.weight"], plain.after["conv1.weight"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"l1": -1}, "l1: must be at least 0; got -1"),
        ({"l2": math.nan}, "l2: must be finite; got nan"),
        ({"clip_norm": 0}, "clip_norm: must be above 0; got 0"),
        ({"label_smoothing": 1}, "label_smoothing: must be at least 0 and below 1; got 1"),
    ],
)
def test_regularisations_that_cannot_mean_anything_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Regularisation(**arguments)


def test_frozen_weights_are_left_alone():
    data = stripes(60)
    bounds = Regularisation(max_norm=0.5, l2=1.0, clip_norm=1e-3, weight_noise=0.1)
    frozen = Trainer(small_network(), regularisation=bounds, freeze="conv1")
    before = frozen.model.theta.copy()
    frozen.fit(data, epochs=2)
    place = frozen.network.parameters[0]
    assert np.array_equal(place.view(frozen.model.theta), place.view(before))


def test_penalties_of_frozen_weights_do_not_count_in_the_norm_of_the_gradient():
    network = small_network()
    factors = {slot.name: 0.0 if slot.name.startswith("conv") else 1.0 for slot in network.parameters}
    theta = np.random.default_rng(0).normal(size=network.parameter_count).astype(np.float32)
    flat = Flat(theta, np.zeros_like(theta), np.zeros(0, np.float32))
    Regulariser(Regularisation(l2=1.0), network, 0, factors).before_update(flat, 0.1)
    for slot in network.parameters:
        expected = slot.view(theta) if slot.name in ("linear1.weight", "linear2.weight") else 0.0
        assert np.array_equal(slot.view(flat.gradient), np.broadcast_to(expected, slot.spec.shape))


@pytest.mark.parametrize(
    ("layer", "shape", "incoming"),
    [
        (Conv2d(4, 3), (2, 6, 6), list),
        (Conv2d(4, 3, groups=2), (2, 6, 6), list),
        (Linear(5), (7,), list),
        (ConvTranspose2d(4, 3), (2, 6, 6), lambda w: [w[:, m] for m in range(4)]),
        (ConvTranspose2d(4, 3, groups=2), (2, 6, 6), lambda w: [w[m // 2 : m // 2 + 1, m % 2] for m in range(4)]),
        (Conv2d(3, 3, connections=[[0], [0, 1], [1]]), (2, 6, 6), lambda w: [w[:1], w[1:3], w[3:]]),
    ],
)
def test_max_norm_bounds_what_comes_into_a_unit(layer, shape, incoming):
    network = Sequential([layer], shape)
    slot = network.parameters[0]
    theta = np.random.default_rng(1).normal(size=network.parameter_count).astype(np.float32)
    theta[: slot.spec.size] *= np.linspace(0.01, 2, slot.spec.size, dtype=np.float32)
    before = [np.linalg.norm(w) for w in incoming(slot.view(theta))]
    Regulariser(Regularisation(max_norm=1.5), network, 0).after_update(Flat(theta, theta, theta))
    after = [np.linalg.norm(w) for w in incoming(slot.view(theta))]
    assert after == pytest.approx(np.minimum(before, 1.5), rel=1e-6)
    assert max(before) > 1.5
