"""Networks without convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Flatten, Layer, Linear, Softmax
from striate.models.arguments import activation as activation_named
from striate.models.arguments import class_count, sample_shape, widths
from striate.network import Network, Sequential


def logistic_regression(classes: int = 10, input_shape: int | Sequence[int] = (1, 28, 28)) -> Network:
    """Return multinomial logistic regression: one linear layer and a softmax.

    References
    ----------
    Cox (1958), "The regression analysis of binary sequences"; Bishop (2006), "Pattern Recognition and
    Machine Learning", section 4.3.4.

    Examples
    --------
    >>> logistic_regression().parameter_count
    7850
    """
    return _stack("logistic_regression", classes, input_shape, (), "relu")


def mlp(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    hidden: int | Sequence[int] = (100, 100),
    activation: str = "relu",
) -> Network:
    """Return a multilayer perceptron: linear layers with an activation between, and a softmax.

    Parameters
    ----------
    hidden : sequence of int
        The width of each hidden layer.
    activation : {"relu", "sigmoid", "tanh"}

    References
    ----------
    Rumelhart, Hinton and Williams (1986), "Learning representations by back-propagating errors".

    Examples
    --------
    >>> mlp().parameter_count
    89610
    """
    return _stack("mlp", classes, input_shape, widths("mlp", hidden), activation)


def _stack(
    name: str, classes: int, input_shape: int | Sequence[int], hidden: Sequence[int], activation: str
) -> Network:
    shape = sample_shape(name, input_shape)
    layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
    for width in hidden:
        layers += [Linear(width), activation_named(name, activation)]
    layers += [Linear(class_count(name, classes)), Softmax()]
    return Sequential(layers, shape, name)
