"""References against PyTorch in float64: output and all gradients to 1e-10, more than 1,000 configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.reference import operation
from striate.reference.registry import Array
from striate.testing import OPERATIONS, Case
from striate.testing.bounds import Values
from striate.testing.numbers import values_for
from support.choices import examples, small_case
from support.peers import torch_or_skip

torch = torch_or_skip()
from .peers import PEERS  # noqa: E402  (it needs PyTorch)

PER_FAMILY = {"convolution": 120, "transposed convolution": 60, "max pooling": 60, "average pooling": 60}
compared = 0


def close(ours: Array, theirs: Any, what: str) -> None:
    theirs = theirs.detach().numpy()
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    assert ours.shape == theirs.shape, what
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11 * scale, err_msg=what)


def compare(family: str, drawn: Case, values: Values, seed: int) -> bool:
    inputs = [torch.tensor(x, requires_grad=True) for x in values.inputs]
    parameters = {key: torch.tensor(p, requires_grad=True) for key, p in values.parameters.items()}
    theirs = PEERS[family](drawn.layer, *inputs, parameters, values)
    if theirs is None:  # PyTorch has no such case
        return False
    op = operation(drawn.layer)
    ours = op.forward(drawn.layer, values.parameters, *values.inputs, context=values.context)
    close(ours, theirs, "output")
    cotangent = np.random.default_rng(seed).normal(size=ours.shape)
    grads, grad_parameters = op.backward(
        drawn.layer, values.parameters, values.inputs, ours, cotangent, values.context
    )
    if theirs.requires_grad:
        theirs.backward(torch.tensor(cotangent))
    for i, (grad, x) in enumerate(zip(grads, inputs, strict=True)):
        close(grad, torch.zeros_like(x) if x.grad is None else x.grad, f"gradient of input {i}")
    for key, parameter in parameters.items():
        close(grad_parameters[key], parameter.grad, f"gradient of {key}")
    return True


@pytest.mark.parametrize("family", PEERS)
def test_same_as_torch(family: str) -> None:
    @examples(PER_FAMILY.get(family, 30))
    @given(st.data(), st.integers(1, 4), st.integers(0, 2**32), st.booleans())
    def check(data: st.DataObject, batch: int, seed: int, training: bool) -> None:
        global compared  # noqa: PLW0603
        drawn = small_case(data, family)
        values = values_for(OPERATIONS[family], drawn, batch + (family == "batch norm"), seed, training=training)
        compared += compare(family, drawn, values, seed)

    check()


def test_more_than_a_thousand_configurations_were_compared() -> None:
    for family in PEERS:
        if compared < 1000:
            test_same_as_torch(family)
    assert compared >= 1000


def test_running_statistics_are_those_of_torch() -> None:
    rng = np.random.default_rng(0)
    from striate.layers import BatchNorm
    from striate.reference import Context

    states = {"running_mean": np.zeros(3), "running_variance": np.ones(3)}
    mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    layer = BatchNorm(affine=False)
    for _ in range(5):
        x = rng.normal(2.0, 3.0, (4, 3, 5))
        operation(layer).forward(layer, {}, x, context=Context(training=True, states=states))
        torch.nn.functional.batch_norm(torch.tensor(x), mean, variance, training=True, momentum=0.1)
    np.testing.assert_allclose(states["running_mean"], mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(states["running_variance"], variance.numpy(), rtol=1e-12)
