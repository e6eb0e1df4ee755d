"""Layers of Keras as ONNX operators, channels first: one way to read a graph serves both.

Keras keeps channels last; only where it flattens or reshapes does that show, and a transposition stands there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.onnx.messages import Node
from striate.interop.onnx.writing.graph import attribute

Arrays = list[np.ndarray]


@dataclass
class Builder:
    """Nodes and constants of the graph; ``ranks`` holds the number of axes of every value."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    layer: str = ""

    def add(self, operator: str, *inputs: Any, rank: int | None = None, **attributes: Any) -> str:
        """Append a node; arrays among its inputs become constants. Return the name of its output."""
        name = f"{self.layer}/{operator}_{len(self.nodes)}"
        sources = []
        for number, item in enumerate(inputs):
            if isinstance(item, str):
                sources.append(item)
            else:
                sources.append(f"{name}/{number}")
                self.constants[sources[-1]] = np.asarray(item)
        stated = [attribute(key, value) for key, value in attributes.items() if value is not None]
        self.nodes.append(Node(sources, [name], name, operator, stated))
        first = next((item for item in inputs if isinstance(item, str)), "")
        self.ranks[name] = self.ranks.get(first, 2) if rank is None else rank
        return name

    def channels_last(self, x: str) -> str:
        """Return ``x`` as Keras sees it."""
        rank = self.ranks[x]
        return x if rank < 3 else self.add("Transpose", x, perm=(0, *range(2, rank), 1))

    def channels_first(self, x: str) -> str:
        """Return what Keras sees with its channels first."""
        rank = self.ranks[x]
        return x if rank < 3 else self.add("Transpose", x, perm=(0, rank - 1, *range(1, rank - 1)))


Translation = Callable[[Builder, KerasLayer, list[str], Arrays], str]
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "exponential": ("Exp", {}),
    "mish": ("Mish", {}),
    "softmax": ("Softmax", {"axis": 1}),
    "log_softmax": ("LogSoftmax", {"axis": 1}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
}


def activated(b: Builder, x: str, config: dict[str, Any], key: str = "activation") -> str:
    """Return ``x`` after the activation that a layer names."""
    name = config.get(key) or "linear"
    if isinstance(name, dict):
        name = name.get("config", {}).get("name") or name.get("class_name")
    if name == "linear":
        return x
    if name == "relu6":
        return b.add("Clip", x, np.float32(0), np.float32(6))
    if name in ("swish", "silu"):
        return b.add("Mul", x, b.add("Sigmoid", x))
    if name == "gelu":
        return b.add("Gelu", x)
    if name == "hard_sigmoid":
        return b.add("HardSigmoid", x, alpha=0.2, beta=0.5)
    if name not in ACTIVATIONS:
        raise KerasError(f"{b.layer}: the activation {str(name)[:60]!r} is not supported")
    operator, attributes = ACTIVATIONS[name]
    return b.add(operator, x, **attributes)


def _geometry(config: dict[str, Any], kernel: str = "kernel_size") -> dict[str, Any]:
    if config.get("data_format", "channels_last") != "channels_last":
        raise KerasError("channels first are not supported; save the model with channels last")
    padding = config.get("padding", "valid")
    if padding not in ("same", "valid"):
        raise KerasError(f"the padding {str(padding)[:40]!r} is not supported")
    dilation = config.get("dilation_rate")
    return {
        "kernel_shape": tuple(config[kernel]),
        "strides": tuple(config["strides"] or config[kernel]),
        "dilations": tuple(dilation) if dilation else None,
        "auto_pad": "SAME_UPPER" if padding == "same" else "VALID",
    }


def _oihw(kernel: np.ndarray) -> np.ndarray:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _bias(config: dict[str, Any], arrays: Arrays) -> Arrays:
    return arrays[-1:] if config.get("use_bias", True) else []


def convolution(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Kernels are [*kernel, in, out] in Keras."""
    config = layer.config
    groups = config.get("groups", 1)
    y = b.add("Conv", x[0], _oihw(arrays[0]), *_bias(config, arrays), group=groups, **_geometry(config))
    return activated(b, y, config)


def depthwise(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Kernels are [*kernel, in, multiplier] in Keras."""
    y = _depthwise(b, layer.config, x[0], arrays[0], _bias(layer.config, arrays))
    return activated(b, y, layer.config)


def _depthwise(b: Builder, config: dict[str, Any], x: str, kernel: np.ndarray, bias: Arrays) -> str:
    channels, multiplier = kernel.shape[-2:]
    weight = np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *kernel.shape[:-2])
    return b.add("Conv", x, weight, *bias, group=channels, **_geometry(config))


def separable(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """A depthwise convolution, then one of 1 x 1."""
    config = layer.config
    y = _depthwise(b, config, x[0], arrays[0], [])
    y = b.add("Conv", y, _oihw(arrays[1]), *_bias(config, arrays))
    return activated(b, y, config)


def transposed(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Kernels are [*kernel, out, in] in Keras."""
    config = layer.config
    if config.get("output_padding"):
        raise KerasError(f"{layer.name}: output_padding is not supported")
    y = b.add("ConvTranspose", x[0], _oihw(arrays[0]), *_bias(config, arrays), **_geometry(config))
    return activated(b, y, config)


def dense(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Over the last axis, which are the channels."""
    y = b.add("MatMul", b.channels_last(x[0]), arrays[0])
    y = b.add("Add", y, arrays[1]) if layer.config.get("use_bias", True) else y
    return activated(b, b.channels_first(y), layer.config)


def batch_norm(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """gamma and beta where they are learnt, then the running mean and variance."""
    config, rest = layer.config, list(arrays)
    mean, variance = rest[-2:]
    rest = rest[:-2]
    gamma = rest.pop(0) if config.get("scale", True) else np.ones_like(mean)
    beta = rest.pop(0) if config.get("center", True) else np.zeros_like(mean)
    return b.add(
        "BatchNormalization", x[0], gamma, beta, mean, variance, epsilon=float(config.get("epsilon", 1e-3))
    )


def pooling(operator: str) -> Translation:
    """Return the translation of a pooling; averages leave the padding out."""

    def translate(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
        return b.add(
            operator, x[0], **{k: v for k, v in _geometry(layer.config, "pool_size").items() if v is not None}
        )

    return translate


def global_pooling(operator: str) -> Translation:
    """Return the translation of a global pooling."""

    def translate(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
        y = b.add(operator, x[0])
        return y if layer.config.get("keepdims") else b.add("Flatten", y, rank=2)

    return translate


def flatten(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """In the order of Keras: channels run fastest."""
    return b.add("Flatten", b.channels_last(x[0]), rank=2)


def reshape(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """In the order of Keras."""
    target = [0, *layer.config["target_shape"]]
    y = b.add("Reshape", b.channels_last(x[0]), np.array(target, np.int64), rank=len(target))
    return b.channels_first(y)


def margin(sign: int) -> Translation:
    """Return the translation of ZeroPadding (1) or Cropping (-1)."""

    def translate(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
        value = layer.config["padding" if sign > 0 else "cropping"]
        pairs = [value] if isinstance(value[0], int) and layer.kind.endswith("1D") else value
        pairs = [pair if isinstance(pair, list | tuple) else (pair, pair) for pair in pairs]
        pads = [0, 0, *(sign * before for before, _ in pairs), 0, 0, *(sign * after for _, after in pairs)]
        return b.add("Pad", x[0], np.array(pads, np.int64))

    return translate


def upsampling(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Nearest or bilinear."""
    factors = layer.config["size"]
    factors = factors if isinstance(factors, list | tuple) else [factors]
    mode = "linear" if layer.config.get("interpolation", "nearest") == "bilinear" else "nearest"
    options: dict[str, Any] = (
        {} if mode == "linear" else {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    )
    scales = np.array([1, 1, *factors], np.float32)
    return b.add("Resize", x[0], np.zeros(0, np.float32), scales, mode=mode, **options)


def joined(operator: str) -> Translation:
    """Return the translation of a sum, product or extremum of all inputs."""

    def translate(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
        total = x[0]
        for other in x[1:]:
            total = b.add(operator, total, other)
        return total

    return translate


def concatenate(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """Along the last axis, which are the channels, or along one of space."""
    rank = b.ranks[x[0]]
    axis = layer.config.get("axis", -1) % rank
    return b.add("Concat", *x, axis=1 if axis == rank - 1 else axis + 1)


def same(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """What disturbs training only."""
    return b.add("Identity", x[0])


def activation(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """By name."""
    return activated(b, x[0], layer.config)


def relu(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """``ReLU`` with a slope or a largest value."""
    config = layer.config
    if config.get("threshold"):
        raise KerasError(f"{layer.name}: a threshold of ReLU is not supported")
    slope, most = float(config.get("negative_slope") or 0.0), config.get("max_value")
    y = b.add("LeakyRelu", x[0], alpha=slope) if slope else b.add("Relu", x[0])
    return y if most is None else b.add("Min", y, np.float32(most))


def leaky(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """``LeakyReLU``, whose slope has had two names."""
    config = layer.config
    return b.add("LeakyRelu", x[0], alpha=float(config.get("negative_slope", config.get("alpha", 0.3))))


def rescaling(b: Builder, layer: KerasLayer, x: list[str], arrays: Arrays) -> str:
    """``x * scale + offset``."""
    y = b.add("Mul", x[0], np.float32(layer.config["scale"]))
    return b.add("Add", y, np.float32(layer.config.get("offset", 0.0)))


TRANSLATIONS: dict[str, Translation] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), convolution),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), separable),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), transposed),
    "Dense": dense,
    "BatchNormalization": batch_norm,
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "MaxPooling3D"), pooling("MaxPool")),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"), pooling("AveragePool")),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
                    global_pooling("GlobalAveragePool")),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
                    global_pooling("GlobalMaxPool")),
    "Flatten": flatten,
    "Reshape": reshape,
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"), margin(1)),
    **dict.fromkeys(("Cropping1D", "Cropping2D", "Cropping3D"), margin(-1)),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "UpSampling3D"), upsampling),
    "Add": joined("Add"),
    "Multiply": joined("Mul"),
    "Maximum": joined("Max"),
    "Minimum": joined("Min"),
    "Subtract": joined("Sub"),
    "Concatenate": concatenate,
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise",
                     "GaussianDropout", "AlphaDropout", "ActivityRegularization"), same),
    "Activation": activation,
    "ReLU": relu,
    "LeakyReLU": leaky,
    "ELU": lambda b, layer, x, arrays: b.add("Elu", x[0], alpha=float(layer.config.get("alpha", 1.0))),
    "Softmax": lambda b, layer, x, arrays: b.add("Softmax", x[0], axis=1),
    "Rescaling": rescaling,
}  # fmt: skip
"""By the class of the layer."""
