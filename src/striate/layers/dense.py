"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import flag, integer
from striate.layers.base import Layer, Parameter, Shape, format_shape


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """Weighted sums of all features: ``out[k] = bias[k] + sum over c of weight[k, c] * x[c]``.

    Parameters
    ----------
    out_features : int
    bias : bool

    Examples
    --------
    >>> Linear(10).output_shape((84,))
    (10,)
    """

    kind: ClassVar[str] = "linear"
    sees_all: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of weight * x"

    out_features: int
    bias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "out_features", integer(self.out_features, "out_features"))
        object.__setattr__(self, "bias", flag(self.bias, "bias"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_features,); raises ShapeError unless the input is one row of features."""
        if len(inputs[0]) != 1:
            raise ShapeError(
                f"needs one row of features for each sample; got {format_shape(inputs[0])}. "
                "Put a Flatten before it."
            )
        return (self.out_features,)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [K, C] and bias [K]."""
        features = inputs[0][0]
        weight = Parameter("weight", (self.out_features, features), features, self.out_features, "weight")
        return (weight, Parameter("bias", (self.out_features,))) if self.bias else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return features in x features out."""
        return inputs[0][0] * self.out_features


@dataclass(frozen=True, repr=False)
class RadialBasis(Layer):
    """Squared distances from centres: ``out[k] = sum over c of (x[c] - weight[k, c])^2``.

    Parameters
    ----------
    out_features : int
    centres : sequence of str, optional
        Fixed centres instead of learnt ones: one text per output, "#" for +1 and "." for -1.

    References
    ----------
    LeCun et al. (1998), "Gradient-based learning applied to document recognition", section II.B (output layer).

    Examples
    --------
    >>> RadialBasis(2, centres=["##..", "..##"]).output_shape((4,))
    (2,)
    """

    kind: ClassVar[str] = "rbf"
    sees_all: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of (x - centre)^2"

    out_features: int
    centres: Sequence[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "out_features", integer(self.out_features, "out_features"))
        if self.centres is not None:
            object.__setattr__(self, "centres", self._canonical_centres())

    def _canonical_centres(self) -> tuple[str, ...]:
        texts = self.centres if isinstance(self.centres, Sequence) else ()
        fits = len(texts) == self.out_features and all(isinstance(t, str) and set(t) <= {"#", "."} for t in texts)
        if not fits or len(set(map(len, texts))) != 1:
            raise UsageError(
                f'centres: needs {self.out_features} texts of "#" and ".", equally long; got {self.centres!r}.'
            )
        return tuple(texts)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_features,); raises ShapeError unless the input is one row of features."""
        shape = inputs[0]
        if len(shape) != 1 or (self.centres and len(self.centres[0]) != shape[0]):
            wanted = f"{len(self.centres[0])}" if self.centres else "a row of"
            raise ShapeError(
                f"needs {wanted} features; got {format_shape(shape)}. Flatten it, or change the centres."
            )
        return (self.out_features,)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [K, C], or nothing if the centres are fixed."""
        features = inputs[0][0]
        weight = Parameter("weight", (self.out_features, features), features, self.out_features, "weight")
        return () if self.centres else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return features in x features out."""
        return inputs[0][0] * self.out_features
