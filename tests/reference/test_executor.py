"""Running whole networks: values by name, gradients that add up, states, and operations of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from striate import reference
from striate.errors import DataError, ModelFileError, UsageError
from striate.layers import Add, BatchNorm, Embedding, Flatten, Input, Layer, Linear, ReLU, Scale, Sqrt, Tanh
from striate.layers.registry import LAYERS, register
from striate.network import Network, Sequential
from striate.network_description import from_description
from striate.reference.registry import Arrays, Context


def test_gradients_add_up_where_a_value_fans_out() -> None:
    x = Input(2)
    network = Network(Add()(Scale(2.0)(x), Scale(3.0)(x), x))
    run = reference.forward(network, np.zeros(0), np.array([[1.0, -1.0]]))
    assert run.output.tolist() == [[6, -6]]
    assert reference.backward(run, np.array([[1.0, 10.0]]))[1]["input"].tolist() == [[6, 60]]


def test_an_error_signal_of_zero_passes_an_infinite_slope_as_zero() -> None:
    network = Sequential([Sqrt()], 2)
    run = reference.forward(network, np.zeros(0), np.array([[0.0, 4.0]]))
    with np.errstate(divide="ignore"):
        assert reference.backward(run, np.array([[0.0, 1.0]]))[1]["input"].tolist() == [[0, 0.25]]


def test_gradient_can_start_at_any_step() -> None:
    network = Sequential([Linear(3), Tanh(), Linear(2)], 4)
    theta = np.random.default_rng(0).normal(size=network.parameter_count)
    run = reference.forward(network, theta, np.ones((2, 4)))
    grad_theta, gradients = reference.backward(run, np.ones((2, 3)), at="tanh1")
    assert "linear2" not in gradients
    assert not network.views(grad_theta)["linear2.weight"].any()
    assert network.views(grad_theta)["linear1.weight"].any()


def test_batch_norm_keeps_running_statistics_and_uses_them_at_evaluation() -> None:
    network = Sequential([BatchNorm(momentum=1.0, affine=False)], 2)
    states = network.initial_states()
    assert states.tolist() == [0, 0, 1, 1]
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    trained = reference.forward(network, np.zeros(0), x, states=states, training=True).output
    np.testing.assert_allclose(trained, [[-1, -1], [1, 1]], rtol=1e-4)
    assert states.tolist() == [2, 20, 2, 200]
    evaluated = reference.forward(network, np.zeros(0), x, states=states).output
    np.testing.assert_allclose(evaluated, trained / np.sqrt(2), rtol=1e-4)
    assert states.tolist() == [2, 20, 2, 200]


def test_a_batch_of_one_has_no_variance_and_gives_the_bias() -> None:
    network = Sequential([BatchNorm()], 2)
    states = network.initial_states()
    out = reference.forward(network, np.array([1, 1, 5, 6.0]), np.array([[3.0, 4.0]]), states=states, training=True)
    assert out.output.tolist() == [[5, 6]]
    assert np.isfinite(states).all()


@pytest.mark.parametrize("symbol", [-1.0, 3.0, 0.5, np.nan])
def test_embedding_refuses_what_is_no_symbol(symbol: float) -> None:
    network = Sequential([Embedding(3, 2), Flatten()], 2)
    with pytest.raises(DataError, match="embedding: symbols are whole numbers from 0 to 2; got"):
        reference.forward(network, np.zeros(6), np.array([[0.0, symbol]]))


@dataclass(frozen=True, repr=False)
class Cube(Layer):
    """``scale * x^3``: an operation as a user writes it."""

    kind: ClassVar[str] = "cube"
    scale: float = 1.0

    def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
        return inputs[0]


@reference.define(Cube)
class CubeReference:
    @staticmethod
    def forward(layer: Cube, parameters: Arrays, *inputs: Any, context: Context) -> Any:
        return layer.scale * inputs[0] ** 3

    @staticmethod
    def backward(
        layer: Cube, parameters: Arrays, inputs: Any, output: Any, grad_output: Any, context: Context
    ) -> Any:
        return (3 * layer.scale * inputs[0] ** 2 * grad_output,), {}


def test_an_operation_of_ones_own_runs_inside_a_network() -> None:
    network = Sequential([Linear(2, bias=False), Cube(2.0), ReLU()], 2)
    run = reference.forward(network, np.eye(2).ravel(), np.array([[1.0, -2.0]]))
    assert run.output.tolist() == [[2, 0]]
    grad_theta, _ = reference.backward(run, np.array([[1.0, 1.0]]))
    assert grad_theta.tolist() == [6, -12, 0, 0]
    assert [step.name for step in network.steps] == ["input", "linear1", "cube1", "relu1"]


def test_files_name_ones_own_layer_once_it_is_registered() -> None:
    description = Sequential([Cube(2.0)], 2).describe()
    with pytest.raises(
        ModelFileError, match="cube1: layers of this file must be known to striate; got type 'Cube'"
    ):
        from_description(description)
    try:
        assert register(Cube) is Cube
        assert from_description(description).step("cube1").layer == Cube(2.0, name="cube1")
    finally:
        LAYERS.pop("Cube")


def test_a_registered_name_is_not_taken_twice() -> None:
    other = type("Linear", (Layer,), {})
    with pytest.raises(UsageError, match="Linear: a registered layer needs a unique name; this one is taken"):
        register(other)


def test_a_layer_without_reference_says_so() -> None:
    class Nothing(Layer):
        def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
            return inputs[0]

    network = Sequential([Nothing()], 2)
    with pytest.raises(NotImplementedError, match=r"Nothing has no reference. Register one with reference.define"):
        reference.forward(network, np.zeros(0), np.zeros((1, 2)))
