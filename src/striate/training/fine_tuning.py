"""Start from a saved model: a new head for other classes, all other layers as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from striate.errors import ShapeError, StriateError, UsageError
from striate.layers import Reshape
from striate.layers.base import format_shape
from striate.model import Model
from striate.network import Network
from striate.network_description import from_description
from striate.training.defaults import INITIAL
from striate.training.initialisation import initialise

OUTPUTS = ("out_features", "out_channels")
"""The arguments that set the number of values of a layer's output."""


def replace_head(model: Model, classes: Sequence[str] | int, seed: int = 0, initial: str = INITIAL) -> Model:
    """Return a model whose last trainable layer is new and has an output for each of ``classes``.

    The last layers of auxiliary outputs are new too. All other parameters, the running statistics and the
    normalisation are copied from ``model``, which stays as it is. Train the result with
    ``Trainer(..., freeze=...)``, or with ``rates`` for the old layers.

    Parameters
    ----------
    model : Model
    classes : sequence of str, or int
        The names of the new classes, or the number of outputs of a regression.
    seed : int
    initial : {"glorot", "he", "lecun"}
        How the new layer is initialised.

    Raises
    ------
    UsageError
        If there are fewer than two classes, or no layer makes the outputs.

    References
    ----------
    Yosinski, Clune, Bengio and Lipson (2014), "How transferable are features in deep neural networks?"
    """
    names = () if isinstance(classes, int) else tuple(classes)
    count = classes if isinstance(classes, int) else len(names)
    if count < (2 if names else 1):
        raise UsageError(f"replace head: needs at least 2 classes, or 1 output; got {classes!r}.")
    heads = heads_of(model.network)
    network = with_outputs(model.network, count)
    theta, states = initialise(network, initial, seed)
    old, new = model.network.views(model.theta), network.views(theta)
    for name, values in old.items():
        if name.rpartition(".")[0] not in heads:
            new[name][...] = values
    states[:] = model.states
    return Model(network, theta, states, names, model.normalisation, threads=model.threads)


def for_samples(model: Model, shape: Sequence[int]) -> Model:
    """Return the same model for samples of another size.

    Raises
    ------
    ShapeError
        If it would need other parameters, or a layer cannot take such samples.
    """
    description = model.network.describe()
    entry = next(item for item in description["layers"] if not item["inputs"])
    entry["shape"] = list(shape)
    try:
        network = from_description(description)
    except StriateError as error:
        raise ShapeError(_other_size(model, shape, str(error))) from None
    for old, new in zip(model.network.parameters, network.parameters, strict=True):
        if old.spec.shape != new.spec.shape:
            what = f"{new.name} would be {format_shape(new.spec.shape)} and is {format_shape(old.spec.shape)}."
            raise ShapeError(_other_size(model, shape, what))
    return Model(
        network, model.theta.copy(), model.states.copy(), model.classes, model.normalisation,
        threads=model.threads, metadata=dict(model.metadata),
    )  # fmt: skip


def _reshapes_after(network: Network, head: str) -> list[str]:
    """Return the names of the layers after a head that give its outputs a shape."""
    after = {head}
    for step in network.steps:
        if after.intersection(step.inputs):
            after.add(step.name)
    return [name for name in after if isinstance(network.step(name).layer, Reshape)]


def _other_size(model: Model, shape: Sequence[int], why: str) -> str:
    wanted = format_shape(model.input_shape)
    channels = len(shape) == 3 and shape[0] != model.input_shape[0]
    option = f"--channels {model.input_shape[0]}" if channels else "--size"
    return (
        f"takes samples of {wanted}; got {format_shape(tuple(shape))}. {why} Use {option}, or start from another."
    )


def heads_of(network: Network) -> list[str]:
    """Return the names of the layers that make the output and the auxiliary outputs.

    Each is the last one with parameters, if nothing mixes what it makes.

    Raises
    ------
    UsageError
        If there is none.
    """
    return [_head_of(network, name) for name in (network.steps[-1].name, *network.auxiliary)]


def _head_of(network: Network, output: str) -> str:
    step = network.step(output)
    while not any(hasattr(step.layer, key) for key in OUTPUTS):
        if len(step.inputs) != 1 or step.parameters or step.name == network.steps[0].name:
            raise UsageError(
                f"{network.name}: its outputs are not made by a layer such as Linear or Conv2d; {step.name} is a "
                f"{type(step.layer).__name__}. Build the network for the new classes."
            )
        step = network.step(step.inputs[0])
    return step.name


def with_outputs(network: Network, count: int) -> Network:
    """Return the same network with ``count`` outputs, auxiliary ones too.

    Raises
    ------
    UsageError
        If no layer makes them, or makes several for each of its channels.
    """
    description, heads = network.describe(), heads_of(network)
    items = {layer["name"]: layer for layer in description["layers"]}
    for name in heads:
        key = next(key for key in OUTPUTS if hasattr(network.step(name).layer, key))
        before, items[name][key] = items[name][key], count
        for reshape in _reshapes_after(network, name):
            items[reshape]["shape"] = [count if side == before else side for side in items[reshape]["shape"]]
    changed = from_description(description)
    if math.prod(changed.output_shape) != count:
        raise UsageError(
            f"{network.name}: {heads[0]} makes {math.prod(changed.output_shape)} outputs for {count} classes. "
            "Build the network for the new classes."
        )
    return changed
