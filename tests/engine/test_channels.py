"""Inference with channels in the lanes beside that with samples in the lanes: the same bits, whatever the batch."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Model, Sequential, layers, models
from striate.engine.channels import choice
from striate.engine.channels.context import rule
from striate.engine.channels.session import ChannelSession
from striate.engine.inference_session import InferenceSession
from striate.engine.program import FORWARD
from striate.engine.session import Session
from striate.layers import BatchNorm, ChannelScale, Conv2d, Linear, LogSoftmax
from striate.machine import LANES
from striate.network import Network
from striate.training.initialisation import initialise
from support.graphs import random_network

FLOAT = np.dtype(np.float32)
UNIT = 2.0**-24


def parameters(network: Network, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    theta, _ = initialise(network, "lecun", seed)
    states = network.initial_states() + rng.uniform(0.0, 0.5, network.state_count)
    return (theta + 0.1 * rng.normal(size=theta.shape)).astype(np.float32), states.astype(np.float32)


def outputs(
    kind: type[Session], network: Network, samples: np.ndarray, *, threads: int = 1, lanes: int | None = None
) -> np.ndarray:
    session = kind(network, batch_size=len(samples), dtype=samples.dtype, threads=threads, lanes=lanes)
    session.load(*parameters(network, 3))
    return session.run(samples, np.arange(len(samples)))


def samples_for(network: Network, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, *network.input_shape)).astype(np.float32)


def rounds_alike(network: Network) -> bool:
    """Return whether both layouts add the same numbers in the same order.

    Affine maps may disappear into the layer before them, and layers without a rule of their own are compiled for
    single numbers, where the compiler joins other products and sums.
    """
    affine = (BatchNorm, ChannelScale, LogSoftmax)
    return all(rule(step) and not isinstance(step.layer, affine) for step in network.steps[1:])


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_agree_in_both_layouts(seed: int) -> None:
    network = random_network(seed)
    samples = samples_for(network, 1 + seed % 5, seed)
    lanes = LANES[seed % 3]
    expected = outputs(InferenceSession, network, samples, lanes=lanes)
    one, three = (outputs(ChannelSession, network, samples, threads=n, lanes=lanes) for n in (1, 3))
    assert one.tobytes() == three.tobytes()
    if rounds_alike(network):
        assert one.tobytes() == expected.tobytes()
    else:  # each layer is held to its own bound among the operations
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ([Conv2d(20, 3, padding=1), layers.ReLU(), layers.MaxPool2d(2), Conv2d(33, 5)], (3, 14, 18)),
        ([Conv2d(20, 3, connections=[[0, 2], [1]] * 10)], (3, 9, 9)),
        ([Conv2d(32, 3, groups=2), layers.Tanh(), Conv2d(32, 3, groups=32)], (6, 12, 12)),
        ([layers.Conv1d(7, 4, stride=3, dilation=2), layers.Flatten(), Linear(50), layers.Softmax()], (2, 61)),
        ([layers.Conv3d(5, 3, stride=2), layers.AvgPool3d(2)], (3, 9, 9, 9)),
        ([Linear(40)], (9000,)),
        ([Conv2d(20, 3)], (500, 5, 5)),
        ([layers.Scale(0.5, shift=-1.0), Conv2d(8, 3)], (3, 9, 9)),
        ([layers.ReLU(), layers.Pad(1), layers.MaxPool2d(2), Conv2d(8, 3)], (3, 16, 16)),
        ([Conv2d(6, 5), layers.Tanh(), layers.Pad(1), layers.AvgPool2d(2), Conv2d(20, 3)], (1, 17, 17)),
        ([Conv2d(8, 3, stride=2), layers.Upsample(2), Conv2d(8, 3, groups=8), layers.GlobalMaxPool()], (3, 15, 15)),
        ([Conv2d(5, 1), layers.Scale(2.0), layers.Softmax(), layers.Reshape((5, 9, 4))], (2, 6, 6)),
    ],
)
def test_layers_give_the_same_bits_in_both_layouts(network: list, shape: tuple[int, ...], lanes: int) -> None:
    graph = Sequential(network, shape)
    samples = samples_for(graph, 3)
    expected = outputs(InferenceSession, graph, samples, lanes=lanes)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=lanes).tobytes() == expected.tobytes()


def test_joins_values_with_few_channels_and_many() -> None:
    x = layers.Input((3, 10, 10))
    few, others, many = (Conv2d(n, 3)(x) for n in (6, 6, 32))
    graph = Network(Conv2d(4, 3)(layers.Concatenate()(many, few, layers.Add()(few, others))))
    samples = samples_for(graph, 2)
    expected = outputs(InferenceSession, graph, samples, lanes=16)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=16).tobytes() == expected.tobytes()


def test_few_channels_take_half_the_lanes() -> None:
    graph = Sequential(
        [Conv2d(6, 5), layers.ReLU(), layers.MaxPool2d(2), Conv2d(16, 5), layers.Flatten(), Linear(3)], (1, 14, 14)
    )
    rows = ChannelSession(graph, batch_size=1, dtype=FLOAT, lanes=16).program.rows
    lanes = {row.where: row.request.lanes for row in rows if row.request and row.section == FORWARD}
    assert [lanes[name] for name in ("conv1", "pool1", "conv2", "linear1")] == [8, 8, 16, 16]


def kernels_of(graph: Network, lanes: int = 16) -> list[str]:
    session = ChannelSession(graph, batch_size=1, dtype=FLOAT, lanes=lanes)
    rows = [row for row in session.program.rows if row.request and row.section == FORWARD]
    return [row.request.name for row in rows]


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("activation", [layers.SiLU(), layers.HardSwish(), layers.LeakyReLU(0.3), layers.ELU(0.7)])
@pytest.mark.parametrize(
    "before",
    [
        Conv2d(20, 3),
        Conv2d(6, 3, groups=6),
        Conv2d(6, 3, groups=6, stride=2),
        Conv2d(6, (1, 2), groups=6),
        Linear(20),
    ],
)
def test_activations_are_taken_of_sums_in_registers(
    before: layers.Layer, activation: layers.Layer, lanes: int
) -> None:
    flat = [layers.Flatten()] if isinstance(before, Linear) else []
    graph = Sequential([*flat, before, activation], (6, 11, 13))
    samples = samples_for(graph, 2)
    expected = outputs(InferenceSession, graph, samples, lanes=lanes)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=lanes).tobytes() == expected.tobytes()
    assert "activation" not in kernels_of(graph, lanes)


def test_activations_with_other_arguments_have_the_same_kernels() -> None:
    """A network may have a slope for each layer; compiling takes much longer than computing."""
    made = []
    for slope in (0.1, 0.3):
        sums = [Conv2d(16, 3), Conv2d(16, 3, groups=16), layers.Flatten(), Linear(7)]
        graph = Sequential([part for layer in sums for part in (layer, layers.LeakyReLU(slope))], (3, 9, 9))
        made.append(set(ChannelSession(graph, batch_size=1, dtype=FLOAT).program.requests()))
    assert made[0] == made[1]


def test_activations_follow_the_sums_of_winograds_algorithm_and_of_long_sums_in_parts() -> None:
    for graph in (
        Sequential([Conv2d(64, 3, padding=1), layers.SiLU()], (64, 24, 24)),
        Sequential([Conv2d(20, 3), layers.SiLU()], (500, 5, 5)),
    ):
        plain = Sequential([graph.steps[1].layer], graph.input_shape)
        samples = samples_for(graph, 1)
        x = outputs(ChannelSession, plain, samples).astype(np.float64)
        got = outputs(ChannelSession, graph, samples, threads=2)
        exact = x / (1 + np.exp(-x))
        assert (np.abs(got - exact) <= 8 * UNIT * np.abs(exact)).all()
        assert "activation" not in kernels_of(graph)


def test_an_activation_of_a_value_that_others_read_is_a_pass_of_its_own() -> None:
    x = layers.Input((3, 10, 10))
    sums = Conv2d(20, 3)(x)
    graph = Network(layers.Add()(sums, layers.SiLU()(sums)))
    samples = samples_for(graph, 2)
    expected = outputs(InferenceSession, graph, samples, lanes=16)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=16).tobytes() == expected.tobytes()
    assert "activation" in kernels_of(graph)


def test_layers_that_only_move_numbers_make_one_copy_together() -> None:
    x = Conv2d(64, 1)(layers.Input((3, 6, 6)))
    moved = layers.Permute((1, 0))(layers.Reshape((64, 36))(x))
    for layer in (layers.Slice((4, 16), (20, 32)), layers.Permute((1, 0)), layers.Reshape((32, 4, 5))):
        moved = layer(moved)
    graph = Network(layers.Tanh()(layers.Concatenate()(moved, moved)))
    samples = samples_for(graph, 2)
    expected = outputs(InferenceSession, graph, samples, lanes=16)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=16).tobytes() == expected.tobytes()
    assert kernels_of(graph)[1:] == ["correlate_neighbours", "copy", "activation", "move"]


def test_whole_blocks_of_channels_are_read_where_they_lie() -> None:
    x = layers.Tanh()(Conv2d(48, 3)(layers.Input((3, 9, 9))))
    one, other = (layers.Slice((first, 0, 0), (count, 7, 7))(x) for first, count in ((0, 16), (16, 32)))
    graph = Network(layers.Add()(Conv2d(20, 1)(one), Conv2d(20, 1)(other)))
    samples = samples_for(graph, 2)
    expected = outputs(InferenceSession, graph, samples, lanes=16)
    assert outputs(ChannelSession, graph, samples, threads=2, lanes=16).tobytes() == expected.tobytes()
    assert not {"copy", "move"} & set(kernels_of(graph)[1:-1])


def test_batch_normalisation_folds_into_the_convolution_before_it() -> None:
    graph = Sequential([Conv2d(20, 3, bias=False), BatchNorm(), layers.ReLU()], (5, 9, 9))
    samples = samples_for(graph, 2)
    session = ChannelSession(graph, batch_size=2, dtype=FLOAT)
    theta, states = parameters(graph, 3)
    session.load(theta, states)
    got = session.run(samples, np.arange(2))
    p, s = graph.views(theta.astype(float)), {slot.name: slot.view(states.astype(float)) for slot in graph.states}
    scale = p["norm1.weight"] / np.sqrt(s["norm1.running_variance"] + graph.steps[2].layer.epsilon)
    windows = np.lib.stride_tricks.sliding_window_view(samples.astype(float), (3, 3), axis=(2, 3))
    weight = p["conv1.weight"] * scale[:, None, None, None]
    offset = p["norm1.bias"] - s["norm1.running_mean"] * scale
    expected = np.einsum("nchwij,mcij->nmhw", windows, weight) + offset[:, None, None]
    size = np.einsum("nchwij,mcij->nmhw", np.abs(windows), np.abs(weight)) + np.abs(offset)[:, None, None]
    terms = 5 * 9 + 3
    assert (np.abs(got - np.maximum(expected, 0.0)) <= terms * UNIT / (1 - terms * UNIT) * size).all()


def test_bytes_are_normalised_as_they_are_read() -> None:
    graph = Sequential([Conv2d(3, 1, bias=False)], (2, 4, 4))
    session = ChannelSession(graph, batch_size=1, dtype=np.dtype(np.uint8))
    session.load(np.array([1, 0, 0, 1, 1, 1], np.float32), np.zeros(0, np.float32))
    session.normalise(np.array([8.0, 16.0]), np.array([0.5, 2.0]))
    x = np.random.default_rng(0).integers(0, 256, (1, 2, 4, 4)).astype(np.uint8)
    a, b = (x[0, 0].astype(float) - 8) * 2, (x[0, 1].astype(float) - 16) / 2
    np.testing.assert_array_equal(session.run(x, np.zeros(1, int))[0], np.stack([a, b, a + b]))


def test_fewer_samples_than_the_plan_was_made_for() -> None:
    graph = models.lenet5(10, (1, 28, 28))
    samples = samples_for(graph, 5)
    session = ChannelSession(graph, batch_size=4, dtype=FLOAT, threads=2)
    session.load(*parameters(graph, 3))
    whole = session.run(samples, np.array([4, 2, 0, 1]))
    for index in ([4], [4, 2], [4, 2, 0]):
        assert session.run(samples, np.array(index)).tobytes() == whole[: len(index)].tobytes()


@pytest.fixture
def model() -> Model:
    network = models.lenet5(10, (1, 28, 28))
    return Model(network, parameters(network, 3)[0])


def test_predictions_have_the_same_bits_whatever_the_batch(model: Model) -> None:
    samples = samples_for(model.network, 70)
    whole = model.outputs(samples)
    for count in (1, 2, 3, 7, 16, 17, 40):
        assert model.outputs(samples[:count]).tobytes() == whole[:count].tobytes()


def test_packs_anew_when_parameters_change_in_place(model: Model) -> None:
    samples = samples_for(model.network, 1)
    before = model.outputs(samples)
    model.parameters["linear3.bias"][0] += 1.0
    assert model.outputs(samples)[0, 0] > before[0, 0]
    held = model.theta
    model.outputs(samples)
    held[:] = 0.0
    assert len(np.unique(model.outputs(samples))) == 1
    model.theta = parameters(model.network, 3)[0]
    assert model.outputs(samples).tobytes() == before.tobytes()


def test_packs_once_for_parameters_that_nobody_holds(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = samples_for(model.network, 1)
    model.outputs(samples)
    monkeypatch.setattr(ChannelSession, "pack", lambda self: pytest.fail("packed again"))
    monkeypatch.setattr(ChannelSession, "load", lambda self, theta, states: pytest.fail("compared again"))
    model.outputs(samples)


def test_the_layout_is_chosen_by_batch_and_network_alone() -> None:
    assert choice.pays(models.lenet5(10, (1, 28, 28)), 1, 500_000)
    assert not choice.pays(models.lenet5(10, (1, 28, 28)), 16, 50_000_000)
    assert [choice.batch_class(n) for n in (1, 2, 3, 16, 17)] == [1, 2, 4, 16, 32]
