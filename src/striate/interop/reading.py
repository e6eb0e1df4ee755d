"""Read models from other programs, in the format given by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from striate.data.encoding import text_of_file
from striate.data.normalisation import Normalisation
from striate.errors import DataError, UsageError, unknown_name
from striate.interop.formats import by_ending
from striate.interop.meaning import with_targets
from striate.layers import Select
from striate.layers.base import Shape, format_shape
from striate.model import Model
from striate.model.part import rebuilt
from striate.network import Network

PIXELS: dict[str, tuple[tuple[float, ...], tuple[float, ...]] | None] = {
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "0..1": ((0.0,), (255.0,)),
    "-1..1": ((127.5,), (127.5,)),
    "0..255": None,
    "caffe": ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
}
"""Mean and scale of pixels from 0 to 255 for what a model expects; one number stands for all channels."""
ORDERS = ("rgb", "bgr")


@dataclass(frozen=True)
class Wish:
    """What the user states about a file.

    Parameters
    ----------
    input_shape : tuple of int, optional
        Of a sample, where the file leaves sides open.
    network : str, optional
        The network whose weights a file holds: its name, or a TOML file with its layers.
    pixels : str, optional
        One of ``PIXELS``.
    channels : {"rgb", "bgr"}
        The order of colours that the model expects.
    classes : Path, optional
        Names of classes, one a line.
    shapes : dict of tuples of int
        Those of several inputs, by name; for ONNX, as what follows.
    constants : dict of float
        Inputs that are always the same, by name.
    output : str, optional
        The value to take as output.
    targets : {"classes", "labels", "numbers"}, optional
        What the outputs mean; assumed from the network by default.
    option : str
        What messages call the place where the user names the network.
    """

    input_shape: Shape | None = None
    network: str | None = None
    pixels: str | None = None
    channels: str = "rgb"
    classes: Path | None = None
    shapes: dict[str, Shape] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)
    output: str | None = None
    targets: str | None = None
    option: str = "--network"


@dataclass(frozen=True)
class Found:
    """A model from another program, notes on how it was read, and its arrays that the file does not have."""

    model: Model
    report: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def read(path: Path, wish: Wish | None = None) -> Found:
    """Return the model of a file, in the format given by the suffix of ``path``.

    Raises
    ------
    UsageError
        If no format has this ending, or what is wished does not fit the model.
    ModelFileError
        If the file is damaged, or needs what striate does not have.
    """
    wish = wish or Wish()
    if path.suffix.lower() != ".onnx" and (wish.shapes or wish.constants or wish.output):
        raise UsageError(f"{path}: --constant, --output and names in --input are for ONNX files. Leave them out.")
    found = by_ending(path, READERS, "Save the model in one of these formats.")(path, wish)
    model = _completed(found.model, wish)
    note = with_targets(model, wish.targets)
    return Found(model, (*found.report, note) if note else found.report, found.missing)


def _completed(model: Model, wish: Wish) -> Model:
    """Return the model with the classes and the preprocessing that the user names."""
    outputs = int(np.prod(model.network.output_shape))
    classes = model.classes if wish.classes is None else _names(wish.classes, outputs)
    normalisation = model.normalisation if wish.pixels is None else pixel_range(wish.pixels, model.input_shape[0])
    network = _with_colours(model.network, wish.channels)
    return Model(network, model.theta, model.states, classes, normalisation, metadata=model.metadata)


def _with_colours(network: Network, order: str) -> Network:
    """Return a network for red, green, blue that gives the network of the file its own order."""
    if order not in ORDERS:
        raise unknown_name("--channels", order, ORDERS)
    if order == "rgb":
        return network
    if len(network.input_shape) != 3 or network.input_shape[0] != 3:
        shape = format_shape(network.input_shape)
        raise UsageError(f"--channels: {order} is for pictures of 3 channels; got {shape}. Leave it out.")
    return rebuilt(network, network.input_shape, Select([2, 1, 0], name=order))


def pixel_range(name: str, channels: int) -> Normalisation | None:
    """Return the normalisation that turns pixels from 0 to 255 into what a model expects.

    Examples
    --------
    >>> pixel_range("-1..1", 1)
    Normalisation(mean=(127.5,), scale=(127.5,))
    """
    if name not in PIXELS:
        raise unknown_name("--pixels", name, PIXELS)
    numbers = PIXELS[name]
    if numbers is None:
        return None
    mean, scale = (values * channels if len(values) == 1 else values for values in numbers)
    if len(mean) != channels:
        raise UsageError(f"--pixels: {name} is for {len(mean)} channels; got {channels}. Use 0..1 or -1..1.")
    return Normalisation(mean, scale)


def _names(path: Path, count: int) -> tuple[str, ...]:
    try:
        text = text_of_file(path.read_bytes())
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"{path}: cannot be read ({reason}). Give a text file with one class name per line."
        ) from None
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(names) != count:
        raise UsageError(f"{path}: the model has {count} outputs; got {len(names)} names. Give one name per line.")
    return names


def _read_onnx(path: Path, wish: Wish) -> Found:
    from striate.interop import onnx

    model = onnx.load(
        path, input_shape=wish.shapes or wish.input_shape, constants=wish.constants, output=wish.output
    )
    origin = model.metadata["origin"]
    lines = [f"{path}: opset {origin['opset']}, {len(model.network.steps)} layers, {len(model.theta):,} parameters"]
    lines += [f"{item['name']}: {item['layout']}" for item in origin["inputs"] if item["layout"] != "as is"]
    return Found(model, tuple(lines))


def _read_weights(path: Path, wish: Wish) -> Found:
    from striate.interop.pytorch import load_weights, read_state_dict
    from striate.interop.pytorch.names import torch_names
    from striate.models.registry import MODELS, build

    if wish.network is None:
        raise UsageError(
            f"{path}: weights need the network they belong to. Name it: {wish.option} resnet18 (or net.toml)."
        )
    own = wish.network.endswith(".toml")
    if not own and wish.network not in MODELS:
        raise unknown_name(wish.option, wish.network, MODELS)
    tensors = read_state_dict(path)
    shape = wish.input_shape or (None if own else (3, 224, 224))
    network = build(wish.network, 1000, shape)
    head = torch_names(network)[network.parameters[-1].name]
    last = next((array for name, array in tensors.items() if f".{name}".endswith(f".{head}")), None)
    if last is None and own and tensors:
        last = list(tensors.values())[-1]
    if last is not None and last.ndim and len(last) != 1000 and len(last) > 1:
        network = build(wish.network, len(last), shape)
    match = load_weights(network, tensors)
    origin = {"format": "pytorch", "network": wish.network}
    model = Model(network, match.theta, match.states, metadata={"origin": origin})
    if wish.pixels is None and not own and network.input_shape[0] == 3:
        model.normalisation = pixel_range("-1..1" if wish.network == "googlenet" else "imagenet", 3)
    return Found(model, tuple(match.lines()), match.missing)


def _read_safetensors(path: Path, wish: Wish) -> Found:
    from striate.model import load

    return Found(load(path)) if wish.network is None else _read_weights(path, wish)


def _read_keras(path: Path, wish: Wish) -> Found:
    from striate.interop import keras

    model = keras.load(path, input_shape=wish.input_shape)
    return Found(model, (f"{path}: {len(model.network.steps)} layers, {len(model.theta):,} parameters",))


READERS: dict[str, Callable[[Path, Wish], Found]] = {
    ".onnx": _read_onnx,
    ".keras": _read_keras,
    ".h5": _read_keras,
    ".hdf5": _read_keras,
    ".pt": _read_weights,
    ".pth": _read_weights,
    ".bin": _read_weights,
    ".tar": _read_weights,
    ".safetensors": _read_safetensors,
}
WEIGHTS = frozenset({".pt", ".pth", ".bin", ".tar", ".safetensors"})
"""Files that may hold weights alone; ``.pth.tar`` is no archive in spite of its name."""
