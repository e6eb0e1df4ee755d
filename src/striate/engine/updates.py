"""The vectors that the optimizers' kernels keep from step to step; importing this compiles nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Update:
    """A kernel of ``striate.kernels.update``.

    Parameters
    ----------
    vectors : tuple of str
        What it keeps for every parameter, zero at the start: the names of its arguments.
    layerwise : bool
        It gives directions alone; how far each parameter moves along its own depends on the norms of both.
    """

    vectors: tuple[str, ...] = ()
    layerwise: bool = False


UPDATES = {
    "gradient_descent": Update(),
    "momentum": Update(("first",)),
    "nesterov": Update(("first",)),
    "adam": Update(("first", "second")),
    "nadam": Update(("first", "second")),
    "radam": Update(("first", "second")),
    "adamax": Update(("first", "second")),
    "adadelta": Update(("first", "second")),
    "rmsprop": Update(("second",)),
    "centred_rmsprop": Update(("first", "second", "mean")),
    "adagrad": Update(("second",)),
    "amsgrad": Update(("first", "second", "largest")),
    "lamb": Update(("first", "second"), layerwise=True),
}
"""The kernels by name."""
