"""Resize and Upsample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add
from striate.interop.onnx.reading.values import Unsupported, Value
from striate.layers.base import Layer, Shape
from striate.reference.resize import matrices


@operator("Upsample")
def upsample(graph: Importer, node: Operator) -> Value:
    """The forerunner of Resize: scales are an attribute before opset 9."""
    scales = np.asarray(node.constant(1, "scales"), np.float64)
    return _resized(graph, node, scales, None, "asymmetric", "floor")


@operator("Resize")
def resize_of_opset_10(graph: Importer, node: Operator) -> Value:
    """With scales as the second input."""
    return _resized(graph, node, node.needed(1), None, "asymmetric", "floor")


@operator("Resize", since=11)
def resize(graph: Importer, node: Operator) -> Value:
    """With region, scales and sizes."""
    coordinates = node.get("coordinate_transformation_mode", "half_pixel")
    rounding = node.get("nearest_mode", "round_prefer_floor")
    scales, sizes = node.constant(2), node.constant(3)
    if sizes is not None and sizes.size:
        sizes = _proportional(node, node.value().shape, sizes)
    scales = scales if scales is not None and scales.size else None
    value = _resized(graph, node, scales, sizes, coordinates, rounding)
    return value if coordinates != "tf_crop_and_resize" else _extrapolated(graph, node, value)


def _extrapolated(graph: Importer, node: Operator, value: Value) -> Value:
    """Return a cropped and resized value with another number than 0 where it lies beyond its input."""
    number, layer, source = node.get("extrapolation_value", 0.0), value.node.layer, value.node.inputs[0]
    if number == 0 or not isinstance(layer, layers.Resize):
        return value
    inside = np.ones(())
    for matrix in matrices(replace(layer, mode="nearest"), source.shape):
        inside = np.multiply.outer(inside, matrix @ np.ones(matrix.shape[1]))
    sample = np.broadcast_to(inside, value.sample)
    return add(graph, value, number * (1 - (sample if value.batch is None else sample[None])))


def _proportional(node: Operator, full: Shape, sizes: np.ndarray) -> np.ndarray:
    """Return sizes that keep proportions where the policy says so."""
    policy, axes = node.get("keep_aspect_ratio_policy", "stretch"), node.get("axes") or list(range(len(full)))
    if policy == "stretch":
        return sizes
    sides = np.array([full[axis] for axis in axes])
    factor = (np.min if policy == "not_larger" else np.max)(sizes / sides)
    return np.asarray(np.floor(factor * sides + 0.5).astype(np.int64))


def _resized(
    graph: Importer,
    node: Operator,
    scales: np.ndarray | None,
    sizes: np.ndarray | None,
    coordinates: str,
    rounding: str,
) -> Value:
    value = node.value()
    plain = value.plain()
    full, axes = list(value.shape), node.get("axes") or list(range(value.rank))
    targets, factors = list(full), [1.0] * len(full)
    for number, axis in enumerate(axes):
        n = full[axis]
        if sizes is not None and sizes.size:
            targets[axis], factors[axis] = int(sizes[number]), int(sizes[number]) / n
        elif scales is not None:
            factors[axis] = float(scales[number])
            targets[axis] = int(np.floor(n * factors[axis] + 1e-9))
    axis_of_samples = 0 if value.batch is None else 1
    if targets[:axis_of_samples] != full[:axis_of_samples]:
        raise Unsupported("it changes the number of samples")
    if value.batch is None or targets[1] != full[1]:
        shape: Shape = (1, *plain.shape)
        region = _region(node, len(full), axis_of_samples)
        layer = _layer(
            node, shape, targets[axis_of_samples:], factors[axis_of_samples:], coordinates, rounding, region
        )
        inner = (
            value.shaped(shape) if value.order == tuple(range(len(value.order))) else layers.Reshape(shape)(plain)
        )
        return Value.of(graph.apply(layer, inner), value, tuple(targets[axis_of_samples:]))
    region = _region(node, len(full), 2)
    layer = _layer(node, plain.shape, targets[2:], factors[2:], coordinates, rounding, region)
    return Value.of(graph.apply(layer, plain), value)


def _region(node: Operator, rank: int, first: int) -> list[tuple[float, float]] | None:
    """Return the part of each axis from ``first`` on that is kept; the axes before are kept whole."""
    roi = node.constant(1)
    if node.get("coordinate_transformation_mode") != "tf_crop_and_resize" or roi is None:
        return None
    axes = node.get("axes") or list(range(rank))
    pairs = [(0.0, 1.0)] * rank
    for number, axis in enumerate(axes):
        pairs[axis] = float(roi[number]), float(roi[number + len(axes)])
    return pairs[first:]


def _layer(
    node: Operator,
    shape: Shape,
    sizes: Sequence[int],
    factors: Sequence[float],
    coordinates: str,
    rounding: str,
    region: list[tuple[float, float]] | None,
) -> Layer:
    mode = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "cubic": "cubic"}.get(
        node.get("mode", "nearest")
    )
    if mode is None or (region is None) == (coordinates == "tf_crop_and_resize"):
        raise Unsupported(f"mode {node.get('mode')!r} with coordinates {coordinates!r} is not known")
    whole = all(factor == int(factor) for factor in factors)
    if whole and not node.get("antialias", 0) and region is None:
        if mode == "nearest" and (coordinates, rounding) == ("asymmetric", "floor"):
            return layers.Upsample([int(factor) for factor in factors])
        if mode == "linear" and coordinates in ("half_pixel", "half_pixel_symmetric"):
            return layers.Upsample([int(factor) for factor in factors], "bilinear")
    exact = all(size == round(n * factor, 9) for size, n, factor in zip(sizes, shape[1:], factors, strict=True))
    return layers.Resize(
        sizes,
        mode,
        coordinates.removeprefix("tf_"),
        rounding,
        scale=None if exact else factors,
        cubic=node.get("cubic_coeff_a", -0.75),
        exclude_outside=bool(node.get("exclude_outside", 0)),
        antialias=bool(node.get("antialias", 0)),
        region=region,
    )
