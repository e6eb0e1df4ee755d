"""The kernels of whole numbers beside their reference: the same integers, whatever the processor has."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Sequential, layers, machine, reference
from striate.engine.channels.session import ChannelSession
from striate.engine.inference_session import InferenceSession
from striate.engine.verify import verify
from striate.errors import ShapeError
from striate.layers import Layer, Quantise
from striate.layers.quantised_sums import fixed_point
from striate.machine import LANES, byte_products
from striate.network import Network
from striate.reference.quantised import parts_of, requantise

FLOAT = np.dtype(np.float32)


def random_network(seed: int) -> Network:
    """Return layers of whole numbers of random sizes, some of which give floats in between."""
    rng = np.random.default_rng(seed)
    rank = int(rng.choice([1, 2, 2, 2, 3]))
    shape = (int(rng.integers(1, 20)), *(int(n) for n in rng.integers(7, 12, rank)))
    stages: list[Layer] = []
    zero_point, whole = 0, False
    for _ in range(int(rng.integers(1, 4))):
        if not whole:
            zero_point = int(rng.choice([0, 255, rng.integers(0, 256)]))
            stages.append(Quantise(float(rng.uniform(0.01, 0.05)), zero_point))
        whole = bool(rng.integers(4))
        given = int(rng.choice([0, rng.integers(0, 256)]))
        options = {"input_zero_point": zero_point, "output_zero_point": given, "relu": bool(rng.integers(2))}
        options["output_scale"] = 0.1 if whole else None
        convolution = getattr(layers, f"QuantisedConv{rank}d")
        kernel = tuple(int(n) for n in rng.integers(1, 4, rank))
        geometry = {"stride": int(rng.choice([1, 1, 2])), "padding": int(rng.integers(0, 3))}
        stages.append(convolution(int(rng.integers(1, 40)), kernel, **geometry, **options))
        zero_point = given
        if rng.integers(2):
            stages.append(getattr(layers, f"MaxPool{rank}d")(2, padding=1, stride=1))
    stages.append(layers.Flatten())
    if not whole:
        stages.append(Quantise(0.03, zero_point))
    stages.append(layers.QuantisedLinear(int(rng.integers(1, 60)), input_zero_point=zero_point))
    return Sequential(stages, shape)


def random_parameters(network: Network, seed: int) -> np.ndarray:
    """Return whole weights over their whole range, and multipliers that spread the results over 0 to 255."""
    rng = np.random.default_rng(seed)
    theta = np.zeros(network.parameter_count, np.float32)
    for step in network.steps:
        if step.parameters:
            weight, bias, multiplier = (slot.view(theta) for slot in step.parameters)
            weight[...] = rng.integers(-127, 128, weight.shape)
            bias[...] = rng.integers(-(2**16), 2**16, bias.shape)
            usual = 1.0 / (100 * np.sqrt(weight[0].size))
            multiplier[...] = fixed_point(usual * rng.uniform(0.2, 1.0, multiplier.shape))
    return theta


def samples_for(network: Network, count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, *network.input_shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(24))
def test_random_networks_give_the_integers_of_the_reference(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, lanes = random_network(seed), LANES[seed % 3]
    products = ("plain", byte_products(lanes), "pairs" if byte_products(lanes) != "plain" else "plain")[
        seed // 3 % 3
    ]
    monkeypatch.setattr(machine, "byte_products", lambda lanes: products)
    theta, samples = random_parameters(network, seed), samples_for(network, 1 + seed % 4)
    expected = reference.forward(network, theta, samples).output.astype(np.float32)
    for threads in (1, 3):
        session = ChannelSession(network, batch_size=4, dtype=FLOAT, threads=threads, lanes=lanes)
        session.load(theta, np.zeros(0, np.float32))
        got = session.run(samples, np.arange(len(samples)))
        assert got.tobytes() == expected.tobytes()
    verify(session.program)


def test_every_layer_of_whole_numbers_can_be_observed() -> None:
    network = random_network(3)
    theta, samples = random_parameters(network, 3), samples_for(network, 1)
    run = reference.forward(network, theta, samples)
    names = [step.name for step in network.steps[1:-1]]
    session = ChannelSession(network, batch_size=1, dtype=FLOAT, observed=names)
    session.load(theta, np.zeros(0, np.float32))
    session.run(samples, np.zeros(1, int))
    for name in names:
        np.testing.assert_array_equal(session.value(name), run.values[name][0].astype(np.float32))


def test_the_other_layout_gives_the_same_through_the_reference() -> None:
    network = random_network(5)
    theta, samples = random_parameters(network, 5), samples_for(network, 3)
    session = InferenceSession(network, batch_size=3, dtype=FLOAT)
    session.load(theta, np.zeros(0, np.float32))
    expected = reference.forward(network, theta, samples).output.astype(np.float32)
    assert session.run(samples, np.arange(3)).tobytes() == expected.tobytes()


def test_the_largest_sums_do_not_saturate(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Sequential([Quantise(1.0), layers.QuantisedLinear(2)], (33000,))
    theta = np.zeros(network.parameter_count, np.float32)
    weight, _, multiplier = (slot.view(theta) for slot in network.steps[-1].parameters)
    weight[...], multiplier[...] = [[127.0], [-127.0]], 1.0
    samples, largest = np.full((1, 33000), 255.0, np.float32), float(np.float32(127 * 255 * 33000))
    for products in {"plain", "pairs", byte_products(16)} if byte_products(16) != "plain" else {"plain"}:
        monkeypatch.setattr(machine, "byte_products", lambda lanes, found=products: found)
        session = ChannelSession(network, batch_size=1, dtype=FLOAT)
        session.load(theta, np.zeros(0, np.float32))
        assert session.run(samples, np.zeros(1, int)).tolist() == [[largest, -largest]]


def test_halves_go_to_even_and_far_results_are_clipped() -> None:
    sums = np.arange(-9, 10)
    np.testing.assert_array_equal(requantise(sums, np.array(0.5), 100), 100 + np.rint(sums / 2))
    assert requantise(np.array([2**31 - 1, -(2**31)]), np.array(2.0**30), 7, 7).tolist() == [255, 7]
    assert requantise(np.array([2**31 - 1, -(2**31)]), np.array(2.0**-60), 7).tolist() == [7, 7]


@pytest.mark.parametrize("seed", range(3))
def test_a_fixed_point_number_times_a_sum_is_exact_in_a_float64(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums = rng.integers(-(2**31), 2**31, 10_000)
    multipliers = fixed_point(np.exp2(rng.uniform(-40, 5, 10_000)))
    whole, power = parts_of(multipliers)
    assert (np.abs(whole) < 2**21).all()
    np.testing.assert_array_equal(np.ldexp(sums * multipliers.astype(float), power), (sums * whole).astype(float))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([layers.QuantisedConv2d(4, 3)], "conv1: takes integers from 0 to 255; got floats. Put Quantise"),
        ([Quantise(0.1, 3), layers.QuantisedConv2d(4, 3)], "with the zero point 0; got 3"),
        ([Quantise(0.1), layers.ReLU()], "relu1: takes floats; got integers"),
        ([layers.Flatten(), Quantise(0.1), layers.QuantisedLinear(4)], "at most 33,155 products; got 40,000"),
    ],
)
def test_networks_that_mix_numbers_wrongly_are_refused(stages: list[Layer], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        Sequential(stages, (4, 100, 100))
