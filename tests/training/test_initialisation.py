from __future__ import annotations

import math

import numpy as np
import pytest

from striate.errors import UsageError
from striate.layers import BatchNorm, Conv2d, Flatten, Linear, PReLU, ReLU
from striate.network import Sequential
from striate.training.initialisation import initialise, normal


def network(*more):
    return Sequential([Conv2d(20, 5, name="a"), ReLU(), Flatten(), *more, Linear(30, name="b")], (3, 20, 20))


@pytest.mark.parametrize(
    ("initial", "first", "second"),
    [
        ("he", math.sqrt(2 / 75), math.sqrt(2 / 5120)),
        ("lecun", math.sqrt(1 / 75), math.sqrt(1 / 5120)),
        ("glorot", math.sqrt(2 / (75 + 500)), math.sqrt(2 / (5120 + 30))),
    ],
)
def test_weights_have_the_deviation_of_the_paper(initial, first, second):
    net = network()
    views = net.views(initialise(net, initial, seed=1)[0])
    for name, deviation in (("a.weight", first), ("b.weight", second)):
        weight = views[name]
        assert weight.std() == pytest.approx(deviation, rel=4 / math.sqrt(2 * weight.size))
        assert abs(weight.mean()) < 4 * deviation / math.sqrt(weight.size)
    assert not views["a.bias"].any()
    assert not views["b.bias"].any()


def test_constants_are_those_the_layers_ask_for():
    net = Sequential([Conv2d(4, 3), BatchNorm(name="norm"), PReLU(name="prelu"), Flatten(), Linear(2)], (1, 6, 6))
    theta, states = initialise(net)
    views = net.views(theta)
    assert set(np.unique(views["norm.weight"])) == {1.0}
    assert set(np.unique(views["prelu.weight"])) == {0.25}
    assert sorted(np.unique(states)) == [0.0, 1.0]


def test_values_depend_on_the_seed_and_the_name_alone():
    small, large = network(), network(Linear(64, name="between"), ReLU())
    a, b = (net.views(initialise(net, seed=7)[0]) for net in (small, large))
    assert np.array_equal(a["a.weight"], b["a.weight"])
    assert not np.array_equal(normal(9, "a", 1), normal(9, "a", 2))
    assert not np.array_equal(normal(9, "a", 1), normal(9, "b", 1))
    assert np.array_equal(normal(9, "a", 1), normal(9, "a", 1))


def test_numbers_are_normal():
    from scipy import stats

    assert stats.kstest(normal(100_000, "weights", 0), "norm").pvalue > 0.01


STREAM = [0.9898887051509334, -0.1396972438433714, 1.1188178558445216, -0.3143952280965668]


def test_stream_is_fixed_for_good():
    np.testing.assert_allclose(normal(4, "conv1.weight", 0), STREAM, rtol=1e-12)


def test_an_unknown_initialiser_is_refused():
    with pytest.raises(UsageError, match="initial: unknown name 'hee'; did you mean 'he'"):
        initialise(network(), "hee")
