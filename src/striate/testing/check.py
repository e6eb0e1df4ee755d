"""One call that proves a layer, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable

from striate.layers import Layer
from striate.layers.base import Shape
from striate.testing.draws import Case
from striate.testing.explanation_checks import check_explanation
from striate.testing.file_checks import check_description, check_file
from striate.testing.kernel_checks import check_kernels
from striate.testing.operations import OPERATIONS, Operation
from striate.testing.reference_checks import check_facts, check_shapes, check_slope
from striate.testing.sensitivity import roundings, sensitive

Check = Callable[[Operation, Case, int, int], None]

CHECKS: dict[str, Check] = {
    "shapes": check_shapes,
    "slope": check_slope,
    "facts": check_facts,
    "description": check_description,
    "file": check_file,
    "kernels": check_kernels,
    "explanation": check_explanation,
}
"""What is checked, in this order; each check raises AssertionError."""


def check_layer(
    layer: Layer, *input_shapes: Shape, batch: int = 3, seed: int = 0, operation: Operation | None = None
) -> None:
    """Check everything that striate promises of a layer.

    - shapes: the reference gives the declared shapes, forward and backward
    - slope: gradients are those of finite differences along a random direction of all inputs and parameters
    - facts: what the layer says of itself (``linear``, ``pointwise``) is true
    - description: JSON and ``repr`` give the same layer again
    - file: a model with the layer gives the same numbers after it was saved and loaded
    - kernels: the engine gives the reference's outputs and gradients within bounds that come from arithmetic, with
      the same bits on one thread and on two
    - explanation: values are the sums of the terms that explain them

    Parameters
    ----------
    layer : Layer
        Registered for files (``striate.layers.registry.register``), with a reference.
    *input_shapes : tuple of int
        The shape of one sample for each input; small ones, for the work grows with them.
    batch : int
        Samples, at least 2.
    seed : int
        For all numbers.
    operation : Operation, optional
        How far float32 may be from the exact result. By default that of the table of cases, and for layers that
        are not in it a bound from the sensitivity of the reference.

    Raises
    ------
    AssertionError
        If a check fails; the message names the check, the layer and the number.

    Examples
    --------
    >>> from striate.layers import Conv2d
    >>> check_layer(Conv2d(4, 3, stride=2), (3, 9, 8))
    """
    case, entry = Case(layer, input_shapes), operation or operation_for(layer)
    for name, check in CHECKS.items():
        try:
            check(entry, case, batch, seed)
        except AssertionError as error:
            raise AssertionError(f"{case!r}: {name}: {error}") from error


def operation_for(layer: Layer) -> Operation:
    """Return the line of the table of cases for ``layer``, or one bounded by the sensitivity of its reference."""
    for operation in OPERATIONS.values():
        if isinstance(layer, operation.layers):
            return operation
    return Operation((type(layer),), _not_drawn, sensitive, roundings)


def _not_drawn(choose: object) -> Case:
    raise NotImplementedError("a layer outside the table of cases is given with its shapes")
