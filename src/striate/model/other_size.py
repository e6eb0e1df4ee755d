"""A model for inputs of a size other than the one it was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import ShapeError
from striate.layers.arguments import integer
from striate.layers.base import format_shape
from striate.model.core import Model
from striate.model.part import rebuilt
from striate.network import Network, Slot


def for_size(model: Model, size: Sequence[int]) -> Model:
    """Return the model with a copy of its parameters for inputs of another size.

    It exists where no parameter depends on the size: networks of convolutions and pooling that end in global
    pooling, or in a map.

    Parameters
    ----------
    model : Model
    size : sequence of int
        The axes of space: (rows, columns) for pictures, (length,) for series.

    Raises
    ------
    ShapeError
        If a layer has other parameters at that size, or cannot be applied to it.

    Examples
    --------
    >>> import numpy as np
    >>> from striate import Sequential, layers
    >>> network = Sequential([layers.Conv2d(1, 3), layers.GlobalAvgPool()], (1, 8, 8))
    >>> for_size(Model(network, np.ones(10)), (12, 20)).input_shape
    (1, 12, 20)
    """
    channels, *space = model.input_shape
    sizes = tuple(integer(side, "size") for side in size)
    if len(sizes) != len(space) or not space:
        raise ShapeError(
            f"{model.network.name}: takes inputs of {format_shape(model.input_shape)}, with {len(space)} "
            f"{'axis' if len(space) == 1 else 'axes'} of space; got a size of {len(sizes)}. Give a number for each."
        )
    network = rebuilt(model.network, (channels, *sizes))
    _check_same(model.network, network)
    return Model(
        network,
        model.theta.copy(),
        model.states.copy(),
        model.classes,
        model.normalisation,
        model.metadata,
        model.threads,
        model.winograd,
        model.target_normalisation,
    )


def _check_same(old: Network, new: Network) -> None:
    """Raise ShapeError unless parameters, states and the form of the answer are the same."""
    for slot, other in zip(_slots(old), _slots(new), strict=True):
        if slot.spec.shape != other.spec.shape:
            raise ShapeError(
                f"{old.name}: {slot.name} is {format_shape(slot.spec.shape)} for inputs of "
                f"{format_shape(old.input_shape)}, and would be {format_shape(other.spec.shape)} for "
                f"{format_shape(new.input_shape)}. Resize the inputs, or sweep the model over larger pictures."
            )
    if len(old.output_shape) == 1 and old.output_shape != new.output_shape:
        raise ShapeError(
            f"{old.name}: gives {format_shape(old.output_shape)} numbers for inputs of "
            f"{format_shape(old.input_shape)}, and would give {format_shape(new.output_shape)} for "
            f"{format_shape(new.input_shape)}. Resize the inputs."
        )


def _slots(network: Network) -> tuple[Slot, ...]:
    return (*network.parameters, *network.states)
