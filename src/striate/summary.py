"""The layers of a network as a table."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from striate.layers.base import Shape, format_shape
from striate.network import Network
from striate.receptive_field import ReceptiveField, receptive_fields

FLOAT_BYTES = 4
BYTES = {"float32": FLOAT_BYTES, "int32": 4, "int8": 1}


@dataclass(frozen=True)
class Row:
    """One layer of a summary.

    Parameters
    ----------
    layer, type : str
        Its name in the network and what it is.
    output_shape : tuple of int
        Of one sample.
    parameters, multiply_adds : int
        Learnt numbers, and multiplications that go into sums in the forward pass of one sample.
    frozen : int
        How many of the parameters stay as they are.
    states : int
        Numbers that are not parameters but belong to the layer: running means and variances.
    receptive_field : tuple of int
        Input positions that one value can see, per axis.
    activation_bytes : int
        Memory of the output of one sample: whole numbers take a byte, floats four.
    parameter_bytes : int
        Memory of the parameters as a file stores them.
    """

    layer: str
    type: str
    output_shape: Shape
    parameters: int
    frozen: int
    states: int
    multiply_adds: int
    receptive_field: tuple[int, ...]
    activation_bytes: int
    parameter_bytes: int = 0


@dataclass(frozen=True)
class Summary:
    """The layers of a network with their sizes and costs; ``print`` shows it as a table."""

    network: str
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """Number of learnt parameters in all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self) -> int:
        """Parameters that are not frozen."""
        return self.parameters - sum(row.frozen for row in self.rows)

    @property
    def states(self) -> int:
        """Number of running means and variances in all layers."""
        return sum(row.states for row in self.rows)

    @property
    def non_trainable(self) -> int:
        """Frozen parameters and running statistics."""
        return self.parameters - self.trainable + self.states

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds in the forward pass of one sample."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Memory of all values of one sample, the input included."""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def parameter_bytes(self) -> int:
        """Memory of the parameters as a file stores them."""
        return sum(row.parameter_bytes for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows and totals as JSON types."""
        return {
            "network": self.network,
            "layers": [_plain(row) for row in self.rows],
            "parameters": self.parameters,
            "trainable": self.trainable,
            "non_trainable": self.non_trainable,
            "multiply_adds": self.multiply_adds,
            "activation_bytes": self.activation_bytes,
            "parameter_bytes": self.parameter_bytes,
        }

    def __str__(self) -> str:
        header = ("layer", "type", "output shape", "parameters", "multiply-adds", "receptive field", "activations")
        total = ("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", "")
        lines = [header, *map(_cells, self.rows), (*total, format_bytes(self.activation_bytes))]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rule = "-" * (sum(widths) + 2 * len(widths) - 2)
        text = [_line(cells, widths) for cells in lines]
        title = f"{self.network}: {self.parameters:,} parameters ({format_bytes(self.parameter_bytes)})"
        return "\n".join([title, text[0], rule, *text[1:-1], rule, text[-1], *self._apart()])

    def _apart(self) -> list[str]:
        """Return a line about non-trainable numbers, if there are any."""
        kinds = {"frozen": self.parameters - self.trainable, "running statistics": self.states}
        others = " and ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
        return [f"trainable {self.trainable:,}, non-trainable {self.non_trainable:,} ({others})"] if others else []


def summarize(network: Network, freeze: Iterable[str] = ()) -> Summary:
    """Return the summary of ``network``.

    Parameters
    ----------
    freeze : patterns
        Parameters that do not learn, as for `Trainer`: names such as ``conv1``, and ``*`` for anything.

    Raises
    ------
    UsageError
        If a pattern fits no parameter.

    Examples
    --------
    >>> from striate.models import logistic_regression
    >>> print(summarize(logistic_regression()))  # doctest: +NORMALIZE_WHITESPACE
    logistic_regression: 7,850 parameters (31.4 kB)
    layer     type     output shape  parameters  multiply-adds  receptive field  activations
    ----------------------------------------------------------------------------------------
    input     Input     1 x 28 x 28           0              0            1 x 1       3.1 kB
    flatten1  Flatten           784           0              0            1 x 1       3.1 kB
    linear1   Linear             10       7,850          7,840          28 x 28         40 B
    softmax1  Softmax            10           0              0          28 x 28         40 B
    ----------------------------------------------------------------------------------------
    total                                 7,850          7,840                        6.4 kB
    """
    fields = receptive_fields(network)
    frozen = {slot.name for pattern in freeze for slot in network.matching(pattern)}
    return Summary(
        network.name,
        tuple(
            Row(
                layer=step.name,
                type=type(step.layer).__name__.removesuffix("Layer"),
                output_shape=step.shape,
                parameters=sum(slot.spec.size for slot in step.parameters),
                frozen=sum(slot.spec.size for slot in step.parameters if slot.name in frozen),
                states=sum(slot.spec.size for slot in step.states),
                multiply_adds=step.layer.multiply_adds(*step.input_shapes),
                receptive_field=_sizes(fields[step.name]),
                activation_bytes=(1 if step.quantisation else FLOAT_BYTES) * math.prod(step.shape),
                parameter_bytes=sum(BYTES[slot.spec.stored] * slot.spec.size for slot in step.parameters),
            )
            for step in network.steps
        ),
    )


def format_bytes(count: int) -> str:
    """Return a number of bytes as text.

    Examples
    --------
    >>> format_bytes(40), format_bytes(31400), format_bytes(553430176)
    ('40 B', '31.4 kB', '553.4 MB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def _sizes(field: ReceptiveField) -> tuple[int, ...]:
    return tuple(axis.size for axis in field)


def _plain(row: Row) -> dict[str, Any]:
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(row).items()
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.layer,
        row.type,
        format_shape(row.output_shape),
        f"{row.parameters:,}",
        f"{row.multiply_adds:,}",
        format_shape(row.receptive_field),
        format_bytes(row.activation_bytes),
    )


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join(left + right).rstrip()
