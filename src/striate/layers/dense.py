"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
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

    out_features: int
    bias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "out_features", integer(self.out_features, "out_features"))
        object.__setattr__(self, "bias", flag(self.bias, "bias"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_features,)."""
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
