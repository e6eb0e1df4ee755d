"""Every reference against finite differences; linear ones by the adjoint identity <A x, y> = <x, A' y>."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawing import FAMILIES, Drawn, Values, values_for
from striate.layers.registry import LAYERS
from striate.reference import operation
from striate.reference.registry import OPERATIONS, Array, Arrays, Operation

from .helpers import examples

STEP = 1e-5
LINEAR = [
    "convolution", "transposed convolution", "average pooling", "global average", "adaptive average", "linear",
    "identity", "flatten", "reshape", "pad", "crop", "upsample", "concatenate", "add", "dropout", "spatial dropout",
]  # fmt: skip


def forward(drawn: Drawn, values: Values, inputs: tuple[Array, ...], parameters: Arrays) -> Array:
    return operation(drawn.layer).forward(drawn.layer, parameters, *inputs, context=values.context)


def moved(arrays: Arrays, directions: Arrays, h: float) -> Arrays:
    return {key: value + h * directions[key] for key, value in arrays.items()}


def check_direction(drawn: Drawn, values: Values, op: Operation, seed: int) -> None:
    """Compare the derivative along one random direction of all inputs and parameters with differences."""
    rng = np.random.default_rng(seed)
    named = {str(i): x for i, x in enumerate(values.inputs)}
    still = isinstance(drawn.layer, LAYERS["Embedding"])
    direction = {key: rng.normal(size=x.shape) * (not still) for key, x in named.items()}
    if drawn.layer.kind == "unpool":
        direction["1"] *= 0.0  # positions do not move
    weights = {key: rng.normal(size=x.shape) for key, x in values.parameters.items()}

    def value(h: float) -> Array:
        inputs = tuple(moved(named, direction, h).values())
        return op.forward(drawn.layer, moved(values.parameters, weights, h), *inputs, context=values.context)

    output = value(0.0)
    cotangent = rng.normal(size=output.shape)
    grad_inputs, grads = op.backward(
        drawn.layer, values.parameters, values.inputs, output, cotangent, values.context
    )
    slope = sum(float((g * direction[str(i)]).sum()) for i, g in enumerate(grad_inputs))
    slope += sum(float((grads[key] * weights[key]).sum()) for key in weights)
    differences = float((cotangent * (value(STEP) - value(-STEP))).sum()) / (2 * STEP)
    scale = float(np.abs(cotangent * output).sum()) + abs(slope)
    assert slope == pytest.approx(differences, rel=1e-6, abs=1e-7 * max(scale, 1.0))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("training", [True, False])
def test_gradient_is_the_slope(family: str, training: bool) -> None:
    @examples(10)
    @given(drawn=FAMILIES[family], batch=st.integers(1, 4), seed=st.integers(0, 2**32))
    def check(drawn: Drawn, batch: int, seed: int) -> None:
        values = values_for(drawn, batch + (family == "batch norm"), seed, training=training)
        check_direction(drawn, values, operation(drawn.layer), seed)

    check()


@pytest.mark.parametrize("family", LINEAR)
def test_adjoint(family: str) -> None:
    @examples(15)
    @given(drawn=FAMILIES[family], batch=st.integers(1, 3), seed=st.integers(0, 2**32))
    def check(drawn: Drawn, batch: int, seed: int) -> None:
        values = values_for(drawn, batch, seed)
        weights = {key: w * (key != "bias") for key, w in values.parameters.items()}
        if getattr(drawn.layer, "value", 0.0):
            return
        output = forward(drawn, values, values.inputs, weights)
        cotangent = np.random.default_rng(seed).normal(size=output.shape)
        grads, _ = operation(drawn.layer).backward(
            drawn.layer, weights, values.inputs, output, cotangent, values.context
        )
        left = float((output * cotangent).sum())
        right = sum(float((g * x).sum()) for g, x in zip(grads, values.inputs, strict=True))
        assert left == pytest.approx(right, rel=1e-11, abs=1e-11 * float(np.abs(output * cotangent).sum() + 1))

    check()


def test_every_layer_is_drawn_and_has_a_reference() -> None:
    seen: set[str] = set()

    @examples(40)
    @given(st.tuples(*FAMILIES.values()))
    def look(drawn: tuple[Drawn, ...]) -> None:
        seen.update(type(item.layer).__name__ for item in drawn)

    look()
    assert seen == set(LAYERS) - {"InputLayer"}


def test_a_wrong_gradient_is_caught() -> None:
    drawn = Drawn(LAYERS["Tanh"](), ((3, 4),))
    right = operation(drawn.layer)

    def wrong(*arguments: Any) -> Any:
        (grad,), none = right.backward(*arguments)
        return (grad * 1.0001,), none

    values = values_for(drawn, 2, 0)
    check_direction(drawn, values, right, 0)
    with pytest.raises(AssertionError):
        check_direction(drawn, values, Operation(right.forward, wrong), 0)


def test_shapes_declared_are_shapes_computed() -> None:
    @examples(60)
    @given(drawn=st.one_of(*FAMILIES.values()), batch=st.integers(1, 3), seed=st.integers(0, 2**32))
    def check(drawn: Drawn, batch: int, seed: int) -> None:
        values = values_for(drawn, batch, seed)
        output = forward(drawn, values, values.inputs, values.parameters)
        assert output.shape == (batch, *drawn.layer.output_shape(*drawn.shapes))
        assert output.dtype == np.float64

    check()


def test_references_are_registered_by_class() -> None:
    assert all(isinstance(entry, Operation) for entry in OPERATIONS.values())
