"""Convolutions and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.translations.activations import activated
from striate.interop.keras.weights import Arrays


def _each(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _geometry(config: dict[str, Any], kernel: str = "kernel_size") -> dict[str, Any]:
    padding, size = config.get("padding", "valid"), _each(config[kernel])
    dilation = _each(config["dilation_rate"]) if config.get("dilation_rate") else (1,) * len(size)
    found: dict[str, Any] = {
        "kernel_shape": size,
        "strides": _each(config["strides"] or config[kernel]),
        "dilations": dilation if max(dilation) > 1 else None,
    }
    if padding == "causal":
        return found | {"pads": (dilation[0] * (size[0] - 1), 0)}
    if padding not in ("same", "valid"):
        raise KerasError(f"the padding {str(padding)[:40]!r} is not supported")
    return found | {"auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}


def _oihw(kernel: np.ndarray) -> np.ndarray:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _bias(config: dict[str, Any], arrays: Arrays) -> Arrays:
    return arrays[-1:] if config.get("use_bias", True) else []


@translates("Conv*", "Convolution*")
def convolution(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Kernels are [*kernel, in, out] in Keras."""
    config = layer.config
    groups = config.get("groups", 1)
    y = b.add("Conv", one(layer, x), _oihw(arrays[0]), *_bias(config, arrays), group=groups, **_geometry(config))
    return activated(b, y, config)


@translates("DepthwiseConv*")
def depthwise(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Kernels are [*kernel, in, multiplier] in Keras."""
    y = _depthwise(b, layer.config, one(layer, x), arrays[0], _bias(layer.config, arrays))
    return activated(b, y, layer.config)


def _depthwise(b: Builder, config: dict[str, Any], x: str, kernel: np.ndarray, bias: Arrays) -> str:
    channels, multiplier = kernel.shape[-2:]
    weight = np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *kernel.shape[:-2])
    return b.add("Conv", x, weight, *bias, group=channels, **_geometry(config))


@translates("SeparableConv*")
def separable(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A depthwise convolution, then one of 1 x 1."""
    config = layer.config
    y = _depthwise(b, config, one(layer, x), arrays[0], [])
    y = b.add("Conv", y, _oihw(arrays[1]), *_bias(config, arrays))
    return activated(b, y, config)


@translates("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Kernels are [*kernel, out, in] in Keras."""
    config = layer.config
    geometry, extra = _geometry(config), config.get("output_padding")
    kernel, strides = geometry["kernel_shape"], geometry["strides"]
    if extra is not None:
        halves = [k // 2 if config["padding"] == "same" else 0 for k in kernel]
        cut = [2 * half - e for half, e in zip(halves, _each(extra), strict=True)]
        pads = (*(max(n, 0) // 2 for n in cut), *(max(n, 0) - max(n, 0) // 2 for n in cut))
        geometry |= {"auto_pad": None, "pads": pads, "output_padding": tuple(max(-n, 0) for n in cut)}
    elif config.get("padding") == "valid":
        missing = tuple(max(s - k, 0) for s, k in zip(strides, kernel, strict=True))
        geometry |= {"output_padding": missing if any(missing) else None}
    y = b.add("ConvTranspose", one(layer, x), _oihw(arrays[0]), *_bias(config, arrays), **geometry)
    return activated(b, y, config)


@translates("MaxPooling*", "AveragePooling*", "MaxPool*", "AvgPool*")
def pooling(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """The largest value, or the mean of what is not padding."""
    operator = "MaxPool" if layer.kind.startswith("Max") else "AveragePool"
    return b.add(operator, one(layer, x), **_geometry(layer.config, "pool_size"))


@translates("GlobalAveragePooling*", "GlobalMaxPooling*")
def global_pooling(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """One number for each channel."""
    operator = "GlobalAveragePool" if layer.kind.startswith("GlobalAverage") else "GlobalMaxPool"
    y = b.add(operator, one(layer, x))
    return y if layer.config.get("keepdims") else b.add("Flatten", y, rank=2)
