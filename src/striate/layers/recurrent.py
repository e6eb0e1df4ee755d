"""Recurrent layers: a state that is carried along a series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.layers.arguments import choice, flag, integer
from striate.layers.base import Layer, Parameter, Shape, format_shape


@dataclass(frozen=True, repr=False)
class Recurrent(Layer):
    """Outputs at t depend on the input at t and on the outputs before: the base of recurrent layers.

    The parameters of gate k are rows k * features to (k + 1) * features of ``weight``, ``recurrent_weight`` and
    ``bias``. The state is 0 in the beginning. For both directions, concatenate two layers, one of them with
    ``reverse=True``.

    Attributes
    ----------
    gates : tuple of str
        The names of the gates, in the order of the parameters.
    """

    kind: ClassVar[str] = "recurrent"
    sees_all: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ()

    features: int
    reverse: bool = False
    bias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", integer(self.features, "features"))
        for name in ("reverse", "bias"):
            object.__setattr__(self, name, flag(getattr(self, name), name))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (features, length); raises ShapeError unless the input is (channels, length)."""
        if len(inputs[0]) != 2:
            raise ShapeError(
                f"needs a series of shape (channels, length); got {format_shape(inputs[0])}. "
                "Put a Flatten, Reshape or Permute before it."
            )
        return (self.features, inputs[0][1])

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [gates * features, C], recurrent_weight [gates * features, features] and bias."""
        channels, own, rows = inputs[0][0], self.features, len(self.gates) * self.features
        found = (
            Parameter("weight", (rows, channels), channels, own, "weight"),
            Parameter("recurrent_weight", (rows, own), own, own, "weight"),
        )
        return (*found, Parameter("bias", (rows,))) if self.bias else found

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return what the gates sum at every position: their inputs and the state."""
        channels, length = inputs[0]
        return length * len(self.gates) * self.features * (channels + self.features)

    @property
    def formula(self) -> str:
        """One output value in symbols."""
        return self.symbols


@dataclass(frozen=True, repr=False)
class RNN(Recurrent):
    """A simple recurrent layer: ``h[t] = tanh(weight x[t] + recurrent_weight h[t-1] + bias)``.

    Parameters
    ----------
    features : int
        Size of the state h, which is the output.
    reverse : bool
        Whether the series is read from its end.
    bias : bool
    activation : {"tanh", "relu"}

    References
    ----------
    Elman (1990), "Finding structure in time".

    Examples
    --------
    >>> RNN(16).output_shape((8, 50))
    (16, 50)
    """

    kind: ClassVar[str] = "rnn"
    gates: ClassVar[tuple[str, ...]] = ("state",)
    symbols: ClassVar[str] = "h[t] = activation(weight x[t] + recurrent_weight h[t-1] + bias)"

    activation: str = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        choice(self.activation, "activation", ("tanh", "relu"))


@dataclass(frozen=True, repr=False)
class LSTM(Recurrent):
    """Long short-term memory: a cell c that gates write, forget and read.

    With ``a[t] = weight x[t] + recurrent_weight h[t-1] + bias``, cut into four gates::

        input = sigmoid(a1)    forget = sigmoid(a2)    candidate = tanh(a3)    output = sigmoid(a4)
        c[t] = forget * c[t-1] + input * candidate
        h[t] = output * tanh(c[t])

    Parameters
    ----------
    features : int
        Size of the state h, which is the output.
    reverse : bool
        Whether the series is read from its end.
    bias : bool

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long short-term memory"; Gers, Schmidhuber and Cummins (2000), "Learning to
    forget: continual prediction with LSTM".

    Examples
    --------
    >>> LSTM(16).output_shape((8, 50))
    (16, 50)
    >>> sum(parameter.size for parameter in LSTM(16).parameters((8, 50)))
    1600
    """

    kind: ClassVar[str] = "lstm"
    gates: ClassVar[tuple[str, ...]] = ("input", "forget", "candidate", "output")
    symbols: ClassVar[str] = "h[t] = output * tanh(forget * c[t-1] + input * candidate)"


@dataclass(frozen=True, repr=False)
class GRU(Recurrent):
    """A gated recurrent unit: a gate resets the state for the candidate, another mixes both.

    With ``a[t] = weight x[t] + bias`` and ``u[t] = recurrent_weight h[t-1]``, each cut into three gates::

        reset = sigmoid(a1 + u1)    update = sigmoid(a2 + u2)
        candidate = tanh(a3 + reset * (u3 + recurrent_bias))
        h[t] = (1 - update) * candidate + update * h[t-1]

    With ``reset_after=False``, the reset comes before the product, as in the publication: the candidate is
    ``tanh(a3 + recurrent_weight3 (reset * h[t-1]))``.

    Parameters
    ----------
    features : int
        Size of the state h, which is the output.
    reverse : bool
        Whether the series is read from its end.
    bias : bool
    reset_after : bool
        Whether the reset comes after the product with the recurrent weight.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", equations 5 to 8.

    Examples
    --------
    >>> GRU(16).output_shape((8, 50))
    (16, 50)
    """

    kind: ClassVar[str] = "gru"
    gates: ClassVar[tuple[str, ...]] = ("reset", "update", "candidate")
    symbols: ClassVar[str] = "h[t] = (1 - update) * candidate + update * h[t-1]"

    reset_after: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "reset_after", flag(self.reset_after, "reset_after"))

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return those of every recurrent layer, and recurrent_bias [features] for a reset after the product."""
        extra = (Parameter("recurrent_bias", (self.features,)),) if self.bias and self.reset_after else ()
        return super().parameters(*inputs) + extra
