"""Models by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from striate.errors import UsageError, unknown_name
from striate.models.alexnet import alexnet
from striate.models.classic import logistic_regression, mlp, perceptron, xor
from striate.models.cnn import cnn
from striate.models.described import network_of_file
from striate.models.digit_recogniser import digit_recogniser
from striate.models.efficientnet import efficientnet_b0
from striate.models.googlenet import googlenet
from striate.models.lenet import lenet5
from striate.models.lenet_1998 import lenet5_1998
from striate.models.mobilenet import mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small
from striate.models.photo_cnn import photo_cnn
from striate.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from striate.models.series_cnn import series_cnn
from striate.models.signal_cnn import signal_cnn
from striate.models.squeezenet import squeezenet1_0, squeezenet1_1
from striate.models.text_cnn import text_cnn
from striate.models.unet import unet
from striate.models.vgg import small_vgg, vgg11, vgg13, vgg16, vgg19
from striate.models.volume_cnn import volume_cnn
from striate.models.voxnet import voxnet
from striate.network import Network

MODELS: dict[str, Callable[..., Network]] = {
    "alexnet": alexnet,
    "cnn": cnn,
    "digit_recogniser": digit_recogniser,
    "efficientnet_b0": efficientnet_b0,
    "googlenet": googlenet,
    "lenet5": lenet5,
    "lenet5_1998": lenet5_1998,
    "logistic_regression": logistic_regression,
    "mlp": mlp,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3_large": mobilenet_v3_large,
    "mobilenet_v3_small": mobilenet_v3_small,
    "perceptron": perceptron,
    "photo_cnn": photo_cnn,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "resnet101": resnet101,
    "resnet152": resnet152,
    "series_cnn": series_cnn,
    "signal_cnn": signal_cnn,
    "small_vgg": small_vgg,
    "text_cnn": text_cnn,
    "squeezenet1_0": squeezenet1_0,
    "squeezenet1_1": squeezenet1_1,
    "unet": unet,
    "vgg11": vgg11,
    "vgg13": vgg13,
    "vgg16": vgg16,
    "vgg19": vgg19,
    "volume_cnn": volume_cnn,
    "voxnet": voxnet,
    "xor": xor,
}
"""Functions ``f(classes, input_shape, **options) -> Network`` by the name users type."""


def build(
    name: str, classes: int | None = None, input_shape: int | Sequence[int] | None = None, /, **options: Any
) -> Network:
    """Return the model called ``name``, or described by a TOML file, for classes and samples of a shape.

    Without them a model is as its authors published it.

    Raises
    ------
    UsageError
        If there is no such model, or it has no such option.
    ShapeError
        If the model cannot take samples of this shape.

    Examples
    --------
    >>> build("lenet5", 10, (1, 32, 32)).output_shape
    (10,)
    """
    if name.endswith(".toml"):
        if options:
            raise UsageError(f"{name}: a network from a file has no options; got {', '.join(options)}.")
        shape = (input_shape,) if isinstance(input_shape, int) else input_shape
        return network_of_file(name, 10 if classes is None else classes, shape)
    if name not in MODELS:
        raise unknown_name("model", name, MODELS)
    function = MODELS[name]
    known = [key for key in inspect.signature(function).parameters if key not in ("classes", "input_shape")]
    for key in options:
        if key not in known:
            if not known:
                raise UsageError(f"{name}: the model has no options; got {key!r}. Leave it out.")
            raise unknown_name(f"{name}: option", key, known)
    sizes = {"classes": classes, "input_shape": input_shape}
    return function(**{key: value for key, value in sizes.items() if value is not None}, **options)
