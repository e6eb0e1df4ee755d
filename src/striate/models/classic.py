"""Networks without convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import ShapeError
from striate.layers import Flatten, Layer, Linear, Sigmoid, Softmax, Step
from striate.layers.base import format_shape
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


def perceptron(classes: int = 2, input_shape: int | Sequence[int] = (2,)) -> Network:
    """Return Rosenblatt's perceptron: a linear unit (one per class if there are more than two) and a step.

    The gradient passes the step unchanged; so one sample at a time, with half the squared error and a learning
    rate of 1, gradient descent is the perceptron's rule ``w <- w + (target - output) * x``.

    References
    ----------
    Rosenblatt (1958), "The perceptron: a probabilistic model for information storage and organization".

    Examples
    --------
    >>> perceptron().parameter_count
    3
    """
    shape = sample_shape("perceptron", input_shape)
    count = class_count("perceptron", classes)
    layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
    units = 1 if count == 2 else count
    return Sequential([*layers, Linear(units), Step(straight_through=True)], shape, "perceptron")


def xor(
    classes: int = 2, input_shape: int | Sequence[int] = (2,), *, hidden: int = 2, activation: str = "tanh"
) -> Network:
    """Return the smallest network that computes exclusive or: two hidden units and one output, a sigmoid.

    Parameters
    ----------
    classes : int
        2: the output is the probability of the second.
    input_shape : 2
    hidden : int
    activation : {"relu", "sigmoid", "tanh"}

    References
    ----------
    Rumelhart, Hinton and Williams (1986), "Learning internal representations by error propagation"; Goodfellow,
    Bengio and Courville (2016), "Deep Learning", section 6.1.

    Examples
    --------
    >>> xor().parameter_count
    9
    """
    shape = sample_shape("xor", input_shape)
    if shape != (2,) or class_count("xor", classes) != 2:
        raise ShapeError(
            f"xor: takes 2 numbers of 2 classes; got {format_shape(shape)} and {classes} classes. Use an mlp."
        )
    (width,) = widths("xor", hidden)
    return Sequential([Linear(width), activation_named("xor", activation), Linear(1), Sigmoid()], shape, "xor")
