"""``check_layer`` on the table of cases; each of its checks fails on a layer for which it should."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import reference
from striate.layers import Conv2d, Layer, Linear, Tanh
from striate.layers.base import Parameter, Shape
from striate.layers.quantised import WHOLE
from striate.layers.registry import LAYERS, register
from striate.model import load
from striate.reference import Context
from striate.reference.registry import OPERATIONS as REFERENCES
from striate.reference.registry import Arrays, Gradients, Inputs
from striate.testing import CHECKS, OPERATIONS, Case, Seeded, Small, check_layer
from striate.testing import kernel_checks as kernels
from striate.testing.check import operation_for
from striate.testing.sensitivity import sensitive
from support.choices import examples, small_case

ONCE = ("description", "shapes", "facts", "explanation")  # quick, so on many cases


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_layer_of_the_table_passes(name: str) -> None:
    case = OPERATIONS[name].draw(Small(Seeded(0)))
    check_layer(case.layer, *case.shapes, operation=OPERATIONS[name])


@pytest.mark.parametrize("name", OPERATIONS)
def test_random_cases_pass_the_quick_checks(name: str) -> None:
    @examples(20)
    @given(st.data(), st.integers(1, 4), st.integers(0, 2**32))
    def check(data: st.DataObject, batch: int, seed: int) -> None:
        case = small_case(data, name)
        for quick in (*ONCE, "slope"):
            CHECKS[quick](OPERATIONS[name], case, batch + (name == "batch norm"), seed)

    check()


def test_every_layer_is_in_the_table_and_drawn() -> None:
    seen: set[str] = set()
    for operation in OPERATIONS.values():
        seen |= {type(operation.draw(Small(Seeded(seed))).layer).__name__ for seed in range(30)}
    own = {name for name, layer in LAYERS.items() if layer.__module__.startswith("striate.")}
    own -= {name for name, layer in LAYERS.items() if issubclass(layer, WHOLE)}  # see test_integers.py
    assert seen >= own - {"InputLayer"}


# A layer of one's own, right and then wrong in every way that is checked.


@dataclass(frozen=True, kw_only=True, repr=False)
class Cubic(Layer):
    """``weight[c] * x^3 + shift``."""

    kind: ClassVar[str] = "cubic"
    pointwise: ClassVar[bool] = True
    formula: ClassVar[str] = "weight x^3 + shift"

    shift: float = 0.5

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (inputs[0][0],), initial=1.0),)


class Meaning:
    """The reference of ``Cubic``."""

    @staticmethod
    def forward(layer: Any, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        (x,) = inputs
        return _spread(parameters["weight"], x) * x**3 + layer.shift

    @staticmethod
    def backward(
        layer: Any, parameters: Arrays, inputs: Inputs, output: np.ndarray, grad: np.ndarray, context: Context
    ) -> Gradients:
        (x,) = inputs
        sums = (grad * x**3).sum(axis=(0, *range(2, x.ndim)))
        return (3 * grad * _spread(parameters["weight"], x) * x**2,), {"weight": sums}


def _spread(weight: np.ndarray, x: np.ndarray) -> np.ndarray:
    return weight.reshape(-1, *(1,) * (x.ndim - 2))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Leave the registries as they were."""
    layers, references = dict(LAYERS), dict(REFERENCES)
    yield
    for registry, before in ((LAYERS, layers), (REFERENCES, references)):
        registry.clear()
        registry.update(before)  # type: ignore[arg-type]


def own(**wrong: Any) -> type[Cubic]:
    """Return ``Cubic``, registered under its name, with parts of the class or the reference replaced."""
    meaning = {key: wrong.pop(key) for key in ("forward", "backward") if key in wrong}
    cls = dataclass(frozen=True, kw_only=True, repr=False)(type("Cubic", (Cubic,), wrong))
    register(cls)
    reference.define(cls)(type("Meaning", (Meaning,), {key: staticmethod(part) for key, part in meaning.items()}))
    return cls


def test_a_layer_of_ones_own_passes_without_a_line_in_the_table() -> None:
    cls = own()
    check_layer(cls(), (3, 4, 2))
    check_layer(cls(shift=-1.0), (5,))


def fails(cls: type[Layer], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_layer(cls(), (3, 4, 2))


def test_a_wrong_shape_is_seen() -> None:
    fails(
        own(output_shape=lambda self, *inputs: (*inputs[0][:-1], 7)),
        r"Cubic.*: shapes: output: is float64\[3, 3, 4",
    )


def test_a_gradient_of_the_wrong_name_is_seen() -> None:
    fails(
        own(backward=lambda layer, p, x, y, g, context: ((g,), {"gain": g})), r"shapes: gradients are of \['gain'\]"
    )


def test_a_wrong_gradient_is_seen() -> None:
    def backward(*arguments: Any, context: Context) -> Gradients:
        inputs, parameters = Meaning.backward(*arguments, context)
        return inputs, {key: 1.0001 * value for key, value in parameters.items()}

    fails(own(backward=backward), "slope: along a direction the gradient is")


def test_false_facts_are_seen() -> None:
    fails(own(linear=True, pointwise=False), "facts: linear: <A x, y> is")
    whole: Any = lambda layer, p, x, context: x + x.sum(axis=-1, keepdims=True)  # noqa: E731
    back: Any = lambda layer, p, x, y, g, context: (  # noqa: E731
        (g + g.sum(axis=-1, keepdims=True),),
        {"weight": 0 * p["weight"]},
    )
    LAYERS.pop("Cubic")
    fails(own(forward=whole, backward=back), "facts: pointwise|others changed")
    LAYERS.pop("Cubic")
    fails(own(channel_affine=True), "channel_affine: other values")


def test_a_description_that_loses_an_argument_is_seen() -> None:
    cls = own(config=lambda self: {})
    with pytest.raises(AssertionError, match="description: from_dict"):
        check_layer(cls(shift=2.0), (3, 4))


def test_a_file_that_gives_other_numbers_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load

    def other(path: Any) -> Any:
        model = plain(path)
        model.theta[0] += 1.0
        return model

    monkeypatch.setattr("striate.testing.file_checks.load", other)
    with pytest.raises(AssertionError, match="file: the model of the file gives other numbers"):
        check_layer(Tanh(), (3,))


def test_a_kernel_that_computes_something_else_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = kernels.infer
    monkeypatch.setattr(kernels, "infer", lambda experiment: plain(experiment) * np.float32(1.00001))
    with pytest.raises(AssertionError, match=r"kernels: output: .* the bound is"):
        check_layer(Linear(4), (5,))


def test_an_explanation_that_does_not_add_up_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.testing import explanation_checks

    def off(cell: Any) -> Any:
        found = plain(cell)
        changed = dataclasses.replace(found.terms, products=found.terms.products * (1 + 1e-9))
        return dataclasses.replace(found, terms=changed)

    plain = explanation_checks.decompose
    monkeypatch.setattr(explanation_checks, "decompose", off)
    with pytest.raises(AssertionError, match=r"explanation: value .* its terms give"):
        check_layer(Conv2d(2, 3), (2, 5, 5))


def test_the_bound_from_sensitivity_is_near_the_one_from_arithmetic() -> None:
    """Neither vacuous nor too small: within a factor for a sum of products."""
    from striate.testing.bounds import without_signs
    from striate.testing.numbers import values_for

    case = Case(Linear(4), ((30,),))
    values = values_for(OPERATIONS["linear"], case, 3, 0)
    grad = np.random.default_rng(0).normal(size=(3, 4))
    found, known = sensitive(case, values, grad), without_signs(case, values, grad)
    ratio = found.output / known.output
    assert 1.0 < ratio.min() <= ratio.max() < 20.0


def test_layers_outside_the_table_get_a_bound() -> None:
    assert operation_for(own()()).magnitudes is sensitive
    assert operation_for(Conv2d(1, 3)) is OPERATIONS["convolution"]
