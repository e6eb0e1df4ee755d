"""Parameters and work of fully connected layers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from striate.errors import UsageError
from striate.worksheets.arithmetic.arguments import at_least_one


@dataclass(frozen=True)
class DenseArithmetic:
    """Costs of a chain of fully connected layers; ``print`` it to see the sums.

    Parameters
    ----------
    sizes : tuple of int
        Units from the input to the output, such as (784, 100, 100, 10).
    bias : bool
        Whether every unit has a bias.
    """

    sizes: tuple[int, ...]
    bias: bool = True

    @property
    def layer_parameters(self) -> tuple[int, ...]:
        """Parameters of every layer: (inputs + 1) * units with biases."""
        return tuple((inputs + self.bias) * units for inputs, units in pairwise(self.sizes))

    @property
    def parameters(self) -> int:
        """Parameters of all layers."""
        return sum(self.layer_parameters)

    @property
    def multiply_adds(self) -> int:
        """Multiplications (each with its addition) for one sample."""
        return sum(inputs * units for inputs, units in pairwise(self.sizes))

    def __str__(self) -> str:
        bias = " + 1" if self.bias else ""
        lines = [f"fully connected: {' - '.join(map(str, self.sizes))}"]
        for (inputs, units), count in zip(pairwise(self.sizes), self.layer_parameters, strict=True):
            lines.append(f"  {inputs} -> {units:<8} ({inputs}{bias}) x {units} = {count:,}")
        lines += [f"  parameters     {self.parameters:,}", f"  multiply-adds  {self.multiply_adds:,}"]
        return "\n".join(lines)


def dense(*sizes: int, bias: bool = True) -> DenseArithmetic:
    """Return the costs of a chain of fully connected layers.

    Parameters
    ----------
    *sizes : int
        Units from the input to the output, at least two numbers.

    Raises
    ------
    UsageError
        For fewer than two sizes, or one below 1.

    Examples
    --------
    >>> dense(784, 100, 100, 10).parameters
    89610
    """
    if len(sizes) < 2:
        raise UsageError(f"dense: at least an input and an output size are needed; got {list(sizes)}.")
    return DenseArithmetic(tuple(at_least_one("dense", "size", size) for size in sizes), bias)
