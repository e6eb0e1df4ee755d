"""Values of a graph while it is read: nodes of a network, seen in the axes of the foreign model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from striate.layers import Permute, Reshape
from striate.layers.base import Node, Shape

MOST_AXES = 4  # of a sample


class Unsupported(Exception):
    """Something a node needs that striate does not support, in words."""


@dataclass(frozen=True)
class Value:
    """A node whose samples are seen in other shapes, and with their axes in another order.

    Reshapes and transpositions cost nothing until a layer needs the numbers in their new places, and cancel
    where they meet their opposite.

    Parameters
    ----------
    node : Node
        Holds the numbers of ``base`` in the same order, in whatever shape.
    base : tuple of int
        A shape of samples.
    order : tuple of int
        Axis i of the sample is axis ``order[i]`` of ``base``.
    batch : int or None
        Where the axis of samples stands among the axes of the foreign model; None where it has none.
    count : int
        How many samples the foreign model speaks of.
    """

    node: Node
    base: Shape
    order: tuple[int, ...]
    batch: int | None
    count: int

    @classmethod
    def of(cls, node: Node, like: Value, shape: Shape | None = None) -> Value:
        """Return ``node`` as a value with samples of ``shape``, the axis of samples as in ``like``."""
        shape = node.shape if shape is None else tuple(shape)
        batch = None if like.batch is None else 0
        return cls(node, shape, tuple(range(len(shape))), batch, like.count)

    @property
    def sample(self) -> Shape:
        """The shape of a sample."""
        return tuple(self.base[axis] for axis in self.order)

    @property
    def shape(self) -> Shape:
        """The shape in the foreign model, with the axis of samples."""
        if self.batch is None:
            return self.sample
        return (*self.sample[: self.batch], self.count, *self.sample[self.batch :])

    @property
    def rank(self) -> int:
        """The number of axes in the foreign model."""
        return len(self.order) + (self.batch is not None)

    def axis(self, axis: int) -> int:
        """Return which axis of a sample an axis of the foreign model is.

        Raises
        ------
        Unsupported
            If it is the axis of samples, or there is no such axis.
        """
        if not -self.rank <= axis < self.rank:
            raise Unsupported(f"there is no axis {axis} among {self.rank}")
        axis %= self.rank
        if self.batch is None:
            return axis
        if axis == self.batch:
            raise Unsupported("it works along the axis of samples")
        return axis - (axis > self.batch)

    def with_node(self, node: Node) -> Value:
        """Return a node of the same numbers of values, seen alike."""
        return replace(self, node=node)

    def shaped(self, shape: Sequence[int]) -> Node:
        """Return the node with samples of ``shape``, in the order of ``base``."""
        return reshaped(self.node, tuple(shape))

    def straight(self) -> Value:
        """Return the value with its axes in the order of the foreign model."""
        if self.order == tuple(range(len(self.order))):
            return self
        node = permuted(self.node, self.base, self.order)
        return replace(self, node=node, base=self.sample, order=tuple(range(len(self.order))))

    def plain(self) -> Node:
        """Return the node with samples as the foreign model sees them, the axis of samples first.

        Raises
        ------
        Unsupported
            If a sample has more than four axes, or samples are not along the first axis.
        """
        if self.batch not in (None, 0):
            raise Unsupported(f"its samples lie along axis {self.batch}, not the first")
        value = self.straight()
        if len(value.base) > MOST_AXES:
            raise Unsupported(f"a sample of {len(value.base)} axes has more than {MOST_AXES}")
        return value.shaped(value.base or (1,))

    def transposed(self, order: Sequence[int]) -> Value:
        """Return the value with the axes of the foreign model in another order."""
        if sorted(order) != list(range(self.rank)):
            raise Unsupported(f"the order {list(order)} does not name each of {self.rank} axes once")
        batch = None if self.batch is None else list(order).index(self.batch)
        axes = [self.axis(axis) for axis in order if axis != self.batch]
        return replace(self, order=tuple(self.order[axis] for axis in axes), batch=batch)

    def freed(self) -> Value:
        """Return the value with the axis of a single sample, wherever it stands but first, as any other axis."""
        return self if self.batch == 0 else self.whole()

    def whole(self) -> Value:
        """Return the value with the axis of a single sample as any other axis."""
        if self.count != 1 or self.batch is None:
            return self
        value = self.straight()
        return replace(value, base=value.shape, order=tuple(range(value.rank)), batch=None)

    def reshape(self, shape: Sequence[int]) -> Value:
        """Return the value in another shape of the foreign model.

        Raises
        ------
        Unsupported
            If the new shape does not keep samples apart.
        """
        value = self.straight().freed()
        whole = value.batch is None and self.count != 1
        if value.batch not in (None, 0):
            raise Unsupported("it reshapes values whose samples are not along the first axis")
        if math.prod(shape) != math.prod(self.shape):
            raise Unsupported(f"{list(self.shape)} cannot be reshaped to {list(shape)}")
        if not whole and len(shape) and shape[0] == self.count:
            sample, batch = tuple(shape[1:]), 0
        elif whole or self.count == 1:
            sample, batch = tuple(shape), None
        else:
            raise Unsupported(f"reshaping to {list(shape)} mixes samples")
        return Value(value.node, sample, tuple(range(len(sample))), batch, self.count)


def reshaped(node: Node, shape: Shape) -> Node:
    """Return ``node`` in another shape; what was reshaped before is reshaped once."""
    while isinstance(node.layer, Reshape):
        node = node.inputs[0]
    return node if node.shape == shape else Reshape(shape)(node)


def merged(base: Shape, order: Sequence[int]) -> tuple[Shape, tuple[int, ...]]:
    """Return ``base`` and ``order`` with axes that stay together as one, and axes of size 1 left out.

    Examples
    --------
    >>> merged((3, 8, 1, 9), (1, 2, 3, 0))
    ((3, 72), (1, 0))
    """
    order = [axis for axis in order if base[axis] != 1]
    kept = sorted(order)
    place = {axis: number for number, axis in enumerate(kept)}
    groups: list[list[int]] = []
    for axis in order:
        if groups and place[axis] == place[groups[-1][-1]] + 1:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    first = sorted(groups)
    sizes = tuple(math.prod(base[axis] for axis in group) for group in first)
    return sizes, tuple(first.index(group) for group in groups)


def permuted(node: Node, base: Shape, order: Sequence[int]) -> Node:
    """Return the numbers of ``node`` (seen as ``base``) with their axes in another order.

    More than four axes take several steps, each of which moves one axis.
    """
    sizes, order = merged(base, order)
    while len(sizes) > MOST_AXES:
        target = next(i for i, axis in enumerate(order) if axis != i)
        moved = order[target]  # to come after the axes that are in place
        step = (*range(target), moved, *(a for a in range(target, len(sizes)) if a != moved))
        small, small_order = merged(sizes, step)
        node = Permute(small_order)(reshaped(node, small))
        sizes = tuple(sizes[axis] for axis in step)
        sizes, order = merged(sizes, [step.index(axis) for axis in order])
    if len(sizes) < 2 or list(order) == sorted(order):
        return node
    return Permute(order)(reshaped(node, sizes))


def of_one_sample(constant: np.ndarray, value: Value) -> np.ndarray:
    """Return a constant of the rank of ``value`` without the axis of samples; raises Unsupported if they differ."""
    if value.batch is None:
        return constant
    first = constant.take(0, axis=value.batch) if constant.shape[value.batch] else constant[:0]
    if constant.shape[value.batch] not in (1, value.count) or np.any(
        constant != np.expand_dims(first, value.batch)
    ):
        raise Unsupported("a constant differs from sample to sample")
    return first


def as_base(constant: np.ndarray, value: Value) -> np.ndarray:
    """Return a constant in the shape of samples with its axes in the order of ``value.base``."""
    return constant.transpose(np.argsort(value.order)) if constant.ndim else constant
