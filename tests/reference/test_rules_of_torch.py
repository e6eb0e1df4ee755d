"""Rules of PyTorch that the drawn comparison translates: "same" padding, ties, unpooling, Lp pooling, distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import layers
from striate.reference import operation
from striate.reference.registry import Array, Arrays, Context
from support.choices import examples
from support.peers import torch_or_skip

torch = torch_or_skip()
F = torch.nn.functional
RANKS = st.integers(1, 3)
SEEDS = st.integers(0, 2**32)


def forward(layer: Any, *inputs: Array, **parameters: Array) -> Array:
    return operation(layer).forward(layer, parameters, *inputs, context=Context(training=True))


def backward(layer: Any, inputs: tuple[Array, ...], grad: Array, parameters: Arrays | None = None) -> Any:
    parameters = parameters or {}
    output = forward(layer, *inputs, **parameters)
    return operation(layer).backward(layer, parameters, inputs, output, grad, Context(training=True))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@examples(60)
@given(rank=RANKS, data=st.data(), seed=SEEDS)
def test_same_padding_with_even_kernels_and_dilation(rank: int, data: st.DataObject, seed: int) -> None:
    kernel = tuple(data.draw(st.lists(st.integers(1, 4), min_size=rank, max_size=rank)))
    dilation = tuple(data.draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank)))
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(size=(2, 2, *[7] * rank)), rng.normal(size=(3, 2, *kernel))
    layer = getattr(layers, f"Conv{rank}d")(3, kernel, padding="same", dilation=dilation, bias=False)
    theirs = getattr(F, f"conv{rank}d")(
        torch.tensor(x), torch.tensor(weight), padding="same", dilation=dilation
    )  # fmt: skip
    np.testing.assert_allclose(forward(layer, x, weight=weight), theirs.numpy(), rtol=1e-10, atol=1e-10)


@examples(60)
@given(rank=RANKS, kernel=st.integers(1, 3), stride=st.integers(1, 3), seed=SEEDS)
def test_ties_go_where_torch_sends_them(rank: int, kernel: int, stride: int, seed: int) -> None:
    """Inputs of 0, 1 and 2 have many: forward, and the gradient that one of the equal cells gets."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (2, 2, *[6] * rank)).astype(float)
    layer = getattr(layers, f"MaxPool{rank}d")(kernel, stride)
    leaf = torch.tensor(x, requires_grad=True)
    theirs = getattr(F, f"max_pool{rank}d")(leaf, kernel, stride)
    grad = rng.normal(size=theirs.shape)
    theirs.backward(torch.tensor(grad))
    assert np.array_equal(forward(layer, x), theirs.detach().numpy())
    (grad_x,), _ = backward(layer, (x,), grad)
    np.testing.assert_allclose(grad_x, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


@examples(40)
@given(rank=RANKS, kernel=st.integers(1, 3), seed=SEEDS)
def test_unpooling_puts_values_where_the_maximum_was(rank: int, kernel: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 3, (2, 2, *[6] * rank)).astype(float)
    pooled, places = getattr(F, f"max_pool{rank}d")(torch.tensor(source), kernel, return_indices=True)
    values = rng.normal(size=pooled.shape)
    theirs = getattr(F, f"max_unpool{rank}d")(torch.tensor(values), places, kernel, output_size=source.shape[2:])
    ours = forward(getattr(layers, f"MaxUnpool{rank}d")(kernel), values, source)
    assert np.array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_lp_pooling_is_that_of_torch_where_values_are_positive(power: float) -> None:
    """PyTorch takes powers without the absolute value."""
    x = np.random.default_rng(0).uniform(0.1, 2.0, (2, 3, 8, 9))
    layer = layers.LpPool2d((2, 3), (1, 2), power=power)
    theirs = F.lp_pool2d(torch.tensor(x), power, (2, 3), (1, 2))
    np.testing.assert_allclose(forward(layer, x), theirs.numpy(), rtol=1e-10)


def test_radial_basis_units_are_squared_distances() -> None:
    rng = np.random.default_rng(0)
    x, centres, grad = rng.normal(size=(4, 6)), rng.normal(size=(3, 6)), rng.normal(size=(4, 3))
    leaves = torch.tensor(x, requires_grad=True), torch.tensor(centres, requires_grad=True)
    theirs = torch.cdist(*leaves) ** 2
    theirs.backward(torch.tensor(grad))
    layer = layers.RadialBasis(3)
    np.testing.assert_allclose(forward(layer, x, weight=centres), theirs.detach().numpy(), rtol=1e-10)
    (grad_x,), grads = backward(layer, (x,), grad, {"weight": centres})
    np.testing.assert_allclose(grad_x, leaves[0].grad.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(grads["weight"], leaves[1].grad.numpy(), rtol=1e-10, atol=1e-12)
