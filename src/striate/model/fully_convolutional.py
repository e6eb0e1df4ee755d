"""A classifier turned into a fully convolutional network, which answers at every position of a larger picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.errors import ShapeError
from striate.layers import AvgPool2d, Conv2d, MaxPool2d
from striate.layers.base import Layer, Node, Shape
from striate.layers.dense import Linear
from striate.layers.global_pooling import GlobalAvgPool, GlobalMaxPool
from striate.layers.shape import Flatten, Input, InputLayer
from striate.model.core import Model
from striate.model.part import named
from striate.network import Network, Step


def fully_convolutional(model: Model, size: Sequence[int]) -> tuple[Model, tuple[int, int]]:
    """Return a model of larger pictures with an answer for every window, and the pixels between two windows.

    A fully connected layer becomes a convolution whose kernel is the whole map that it saw, with the same weights;
    so the answer at (r, s) is that of the model for the window at (r * jump, s * jump), up to rounding.

    Parameters
    ----------
    model : Model
        Of pictures, with one answer for each.
    size : (rows, columns)

    Raises
    ------
    ShapeError
        If the network has a layer that treats the edge of a window in another way than its middle, such as padding.

    References
    ----------
    Sermanet et al. (2014), "OverFeat: integrated recognition, localization and detection", section 3.5.
    """
    network = model.network
    if len(network.input_shape) != 3 or network.auxiliary:
        raise ShapeError(f"{network.name}: needs pictures, and one output.")
    nodes: dict[str, Node] = {}
    jump = (1, 1)
    for step in network.steps:
        if isinstance(step.layer, InputLayer):
            nodes[step.name] = Input((network.input_shape[0], *size), step.name)
            continue
        sources = [nodes[source] for source in step.inputs]
        layer = _everywhere(step, _map_before(network, step))
        nodes[step.name] = sources[0] if layer is None else layer(*sources)
        window = step.layer.window(*step.input_shapes)
        if window is not None:
            jump = (jump[0] * window.stride[0], jump[1] * window.stride[1])
    whole = Network(nodes[network.steps[-1].name], network.name)
    wide = Model(
        whole,
        model.theta.copy(),
        model.states.copy(),
        model.classes,
        model.normalisation,
        model.metadata,
        model.threads,
        model.winograd,
    )
    return wide, jump


def _map_before(network: Network, step: Step) -> Shape:
    """Return the shape of the map that reaches a step, through a Flatten if there is one."""
    before = network.step(step.inputs[0])
    while isinstance(before.layer, Flatten) or (len(before.shape) == 1 and before.layer.pointwise):
        if len(before.inputs) != 1 or isinstance(before.layer, InputLayer):
            break
        before = network.step(before.inputs[0])
    return before.shape


def _everywhere(step: Step, shape: Shape) -> Layer | None:
    """Return a layer that does at every position what the given one does to one window; None for nothing."""
    layer, window = step.layer, step.layer.window(*step.input_shapes)
    if isinstance(layer, Flatten):
        return None
    sides = shape[1:] if len(shape) == 3 else (1, 1)
    if isinstance(layer, Linear):
        if math.prod(shape) != step.input_shapes[0][0]:
            raise _refused(step)
        return Conv2d(layer.out_features, sides, bias=layer.bias, name=step.name)
    if isinstance(layer, GlobalAvgPool | GlobalMaxPool):
        pool = AvgPool2d if isinstance(layer, GlobalAvgPool) else MaxPool2d
        return pool(sides, stride=1, name=step.name)
    if window is not None:
        if any(sum(map(abs, pair)) for pair in window.padding) or window.zoom is not None or len(step.inputs) != 1:
            raise _refused(step)
        return named(step)
    if layer.sees_all or len(step.inputs) != 1 or not (layer.pointwise or layer.mixes_channels):
        raise _refused(step)
    return named(step)


def _refused(step: Step) -> ShapeError:
    return ShapeError(
        f"{step.name}: treats the edge of a window differently from its middle; it is {step.layer!r}. Sweep "
        "window by window."
    )
