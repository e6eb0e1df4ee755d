"""Every value of every layer is the sum of its terms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.explain.decompositions import Cell, decompose
from striate.explain.decompositions.grid import padded_positions
from striate.explain.decompositions.terms import DECOMPOSERS
from striate.layers import (
    Conv2d,
    Layer,
    LayerNorm,
    LogSoftmax,
    MaxPool2d,
    PReLU,
)  # fmt: skip
from striate.layers.activation import Activation
from striate.layers.registry import LAYERS
from striate.layers.shape import InputLayer
from striate.reference import Context, operation
from striate.testing import OPERATIONS, Seeded, Small
from striate.testing.explanation_checks import TOLERANCE, cell_of, error
from support.choices import examples, small_case

PER_OPERATION = -(-1000 // len(OPERATIONS))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_terms_add_up_to_the_value(name: str) -> None:
    @examples(PER_OPERATION)
    @given(st.data(), st.integers(0, 2**32), st.integers(0, 2**20))
    def check(data: st.DataObject, seed: int, pick: int) -> None:
        cell = cell_of(OPERATIONS[name], small_case(data, name), seed, pick)
        found = decompose(cell)
        assert error(found, float(cell.output[cell.index])) <= TOLERANCE
        terms = found.terms
        if terms.factors is not None and type(cell.layer).__name__ != "RadialBasis" and found.winner is None:
            np.testing.assert_array_equal(terms.products, terms.values * terms.factors)

    check()


def test_every_layer_type_is_taken_apart_exactly() -> None:
    for name, layer in LAYERS.items():
        if layer is not InputLayer and layer.__module__.startswith("striate."):
            assert layer.linear or layer.pointwise or any(cls in DECOMPOSERS for cls in layer.__mro__), name


def formulas() -> dict[Activation, bool]:
    """Return the activations of the table, in the forms it draws, and whether they take positive numbers only."""
    found: dict[Activation, bool] = {}
    for entry in OPERATIONS.values():
        for seed in range(8):
            layer = entry.draw(Small(Seeded(seed))).layer
            if isinstance(layer, Activation) and layer.pointwise and not isinstance(layer, PReLU):
                found[layer] = entry.above is not None
    return found


FORMULAS = formulas()


@pytest.mark.parametrize("layer", FORMULAS, ids=repr)
def test_the_printed_formula_of_an_activation_gives_its_values(layer: Activation) -> None:
    x = np.array([[-4.0, -3.0, -1.5, -0.25, 0.0, 0.5, 1.0, 2.5, 3.0, 4.0]])
    x = x[:, 5:] if FORMULAS[layer] else x
    output = operation(layer).forward(layer, {}, x, context=Context())[0]
    for n, value in enumerate(x[0]):
        formula = decompose(Cell(layer, {}, (x[0],), (n,), {}, output)).rule
        functions = {name: getattr(math, name) for name in ("exp", "log", "tanh", "erf", "sqrt", "pi", "sin")}
        found = eval(formula.replace("^", "**"), functions | {"min": min, "max": max, "abs": abs}, {"x": value})
        assert found == pytest.approx(output[n], rel=5e-6, abs=1e-12), formula  # six digits are printed


def test_every_activation_has_its_formula_evaluated() -> None:
    pointwise = {layer for layer in LAYERS.values() if issubclass(layer, Activation) and layer.pointwise}
    assert pointwise - {PReLU} == {type(layer) for layer in FORMULAS}


def test_a_wrong_weight_would_be_seen() -> None:
    rng = np.random.default_rng(0)
    layer, x = Conv2d(2, 3, padding=1), rng.normal(size=(1, 3, 5, 5))
    parameters = {"weight": rng.normal(size=(2, 3, 3, 3)), "bias": rng.normal(size=2)}
    output = operation(layer).forward(layer, parameters, x, context=Context())[0]
    parameters["weight"][1, 2, 1, 1] += 1e-9
    cell = Cell(layer, parameters, (x[0],), (1, 2, 3), {}, output)
    assert error(decompose(cell), float(output[1, 2, 3])) > TOLERANCE


def test_window_and_kernel_have_the_shape_of_the_kernel() -> None:
    x = np.arange(16.0).reshape(1, 4, 4)
    parameters = {"weight": np.arange(9.0).reshape(1, 1, 3, 3), "bias": np.array([0.5])}
    output = operation(Conv2d(1, 3, padding=1)).forward(
        Conv2d(1, 3, padding=1), parameters, x[None], context=Context()
    )
    found = decompose(Cell(Conv2d(1, 3, padding=1), parameters, (x,), (0, 0, 0), {}, output[0]))
    assert found.window is not None
    assert found.window.tolist() == [[[0, 0, 0], [0, 0, 1], [0, 4, 5]]]
    assert found.kernel is not None
    assert found.kernel.tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8]]]
    assert found.constants == {"bias": 0.5}
    assert found.result == 5 + 28 + 40 + 0.5


def test_of_equal_values_the_first_wins_and_padding_never() -> None:
    x = np.array([[[-3.0, -1.0], [-1.0, -2.0]]])
    found = decompose(Cell(MaxPool2d(3, padding=1, stride=1), {}, (x,), (0, 0, 0), {}, np.full((1, 2, 2), -1.0)))
    assert found.winner == 5  # the second row of the window begins beyond the edge
    assert found.result == -1.0


def test_statistics_of_a_normalisation() -> None:
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    layer = LayerNorm(over="channels", affine=False, epsilon=1e-5)
    output = operation(layer).forward(layer, {}, x[None], context=Context())[0]
    found = decompose(Cell(layer, {}, (x,), (1, 1), {}, output))
    assert found.statistics["mean"] == 4
    assert found.statistics["variance"] == 4
    assert found.statistics["values in the statistics"] == 2


def test_log_softmax_of_a_sure_class_keeps_its_digits() -> None:
    x = np.array([0.0, 40.0])
    output = operation(LogSoftmax()).forward(LogSoftmax(), {}, x[None], context=Context())[0]
    assert decompose(Cell(LogSoftmax(), {}, (x,), (1,), {}, output)).result == output[1]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padded_positions_are_those_of_numpy(mode: str) -> None:
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    for n, before, after in itertools.product((3, 5), (0, 1, 2), (0, 1, 2)):
        expected = np.pad(np.arange(n), (before, after), mode=names[mode])  # type: ignore[call-overload]
        assert padded_positions(n, before, before + n + after, mode).tolist() == expected.tolist()


class Cube(Layer):
    """A layer that only its reference knows."""

    def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
        return inputs[0]


def test_a_layer_with_a_reference_only_is_linearised(monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.reference.registry import OPERATIONS, Operation

    monkeypatch.setitem(
        OPERATIONS,
        Cube,
        Operation(
            lambda layer, parameters, *inputs, context: inputs[0] ** 3,
            lambda layer, parameters, inputs, output, grad, context: ((3 * inputs[0] ** 2 * grad,), {}),
        ),
    )
    found = decompose(Cell(Cube(), {}, (np.array([2.0, 5.0]),), (1,), {}, np.array([8.0, 125.0])))
    assert found.terms.factors is not None
    assert found.terms.factors.tolist() == [75]
    assert found.constants == {"rest": -250}
    assert found.result == 125
