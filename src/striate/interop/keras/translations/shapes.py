"""Layers that move, repeat, cut or resize, and those that disturb training only."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.keras.builder import Builder, one, translates
from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays


@translates(
    "Dropout", "SpatialDropout*", "GaussianNoise", "GaussianDropout", "AlphaDropout", "StochasticDepth",
    "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness",
)  # fmt: skip
def same(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """What disturbs training only."""
    return b.add("Identity", one(layer, x))


@translates("Flatten")
def flatten(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """With the channels last in every model."""
    value = one(layer, x)
    rank = b.ranks[value]
    if rank > 2 and (not b.channels_first or layer.config.get("data_format") == "channels_first"):
        value = b.add("Transpose", value, perm=(0, *range(2, rank), 1))
    return b.add("Flatten", value, rank=2)


@translates("Reshape")
def reshape(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """In the order of Keras."""
    target = [0, *layer.config["target_shape"]]
    y = b.add("Reshape", b.as_keras(one(layer, x)), np.array(target, np.int64), rank=len(target))
    return b.from_keras(y)


@translates("Permute")
def permute(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Axes in another order."""
    y = b.add("Transpose", b.as_keras(one(layer, x)), perm=(0, *layer.config["dims"]))
    return b.from_keras(y)


@translates("RepeatVector")
def repeat(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A vector becomes the rows of a matrix."""
    y = b.add("Unsqueeze", one(layer, x), np.array([1]), rank=3)
    return b.from_keras(b.add("Tile", y, np.array([1, layer.config["n"], 1])))


@translates("ZeroPadding*", "Cropping*")
def margin(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """Zeros around the space, or a margin cut off."""
    sign, key = (1, "padding") if layer.kind.startswith("Zero") else (-1, "cropping")
    value = layer.config[key]
    if isinstance(value, int):
        value = [value] * int(layer.kind[-2])
    pairs = [value] if isinstance(value[0], int) and layer.kind.endswith("1D") and len(value) == 2 else value
    pairs = [pair if isinstance(pair, list | tuple) else (pair, pair) for pair in pairs]
    pads = [0, 0, *(sign * before for before, _ in pairs), 0, 0, *(sign * after for _, after in pairs)]
    return b.add("Pad", one(layer, x), np.array(pads, np.int64))


NEAREST = {"mode": "nearest", "coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"}
INTERPOLATIONS: dict[str, dict[str, Any]] = {"nearest": NEAREST, "bilinear": {"mode": "linear"}}


def _interpolation(layer: KerasLayer, usual: str) -> dict[str, Any]:
    name = layer.config.get("interpolation") or usual
    if name not in INTERPOLATIONS or layer.config.get("antialias"):
        raise KerasError(f"{layer.name}: the interpolation {str(name)[:40]!r} is not supported")
    return INTERPOLATIONS[name]


@translates("UpSampling*")
def upsampling(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """By whole factors."""
    factors = layer.config["size"]
    scales = np.array([1, 1, *(factors if isinstance(factors, list | tuple) else [factors])], np.float32)
    return b.add("Resize", one(layer, x), np.zeros(0, np.float32), scales, **_interpolation(layer, "nearest"))


@translates("Resizing")
def resizing(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """To a given size."""
    config, none = layer.config, np.zeros(0, np.float32)
    if config.get("crop_to_aspect_ratio") or config.get("pad_to_aspect_ratio"):
        raise KerasError(f"{layer.name}: resizing that keeps proportions is not supported")
    sizes = np.array([config["height"], config["width"]])
    return b.add("Resize", one(layer, x), none, none, sizes, axes=(2, 3), **_interpolation(layer, "bilinear"))


@translates("Embedding")
def embedding(b: Builder, layer: KerasLayer, x: list[Any], arrays: Arrays) -> str:
    """A vector for each symbol."""
    if layer.config.get("mask_zero"):
        raise KerasError(f"{layer.name}: masks (mask_zero) are not supported")
    return b.from_keras(b.add("Gather", arrays[0], one(layer, x), axis=0, rank=3))
