"""Learning rates of single layers: lower than those of others, or 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from striate.errors import UsageError
from striate.layers.arguments import real
from striate.network import Network
from striate.training.stepper import Flat


def parameter_rates(network: Network, rates: Mapping[str, float], freeze: Iterable[str]) -> dict[str, float]:
    """Return the factor of the learning rate for every parameter by name.

    Parameters
    ----------
    rates : mapping of a pattern to a factor
        ``*`` stands for anything, so ``conv*`` means ``conv1.weight``, ``conv1.bias`` and so on; a layer's
        name alone means all its parameters. The last pattern that matches counts.
    freeze : patterns
        Parameters that stay as they are.

    Raises
    ------
    UsageError
        If a pattern fits no parameter, a factor is negative or not finite, or nothing is left to learn.
    """
    factors = dict.fromkeys((slot.name for slot in network.parameters), 1.0)
    wanted = {**rates, **dict.fromkeys([freeze] if isinstance(freeze, str) else freeze, 0.0)}
    for pattern, factor in wanted.items():
        value = real(factor, f"rate of {pattern!r}", above=0, closed=True)
        factors.update(dict.fromkeys((slot.name for slot in network.matching(pattern)), value))
    if factors and not any(factors.values()):
        raise UsageError(f"{network.name}: every parameter is frozen, so nothing can be learnt. Freeze fewer.")
    return factors


def frozen_layers(network: Network, factors: Mapping[str, float]) -> tuple[str, ...]:
    """Return the names of the layers whose parameters are all frozen."""
    learning = (step for step in network.steps if step.parameters)
    return tuple(step.name for step in learning if not any(factors[slot.name] for slot in step.parameters))


class Rates:
    """Scales every update by the factor of its parameter (an `Adjustment`).

    The update of every optimizer here is proportional to the learning rate, so scaling the update is
    having several rates. A layer whose parameters are all frozen keeps its running statistics too.
    """

    def __init__(self, network: Network, factors: Mapping[str, float]) -> None:
        self.parts: list[tuple[slice, np.float32]] = []
        self.states: list[slice] = []
        frozen = frozen_layers(network, factors)
        for step in network.steps:
            for slot in step.parameters:
                self._add(slot.offset, slot.offset + slot.spec.size, factors[slot.name])
            if step.name in frozen:
                self.states += [slice(slot.offset, slot.offset + slot.spec.size) for slot in step.states]
        self._before: list[np.ndarray] = []
        self._states: list[np.ndarray] = []

    def _add(self, start: int, stop: int, factor: float) -> None:
        """Join neighbours of one factor; leave out what learns at the full rate."""
        if self.parts and self.parts[-1][0].stop == start and self.parts[-1][1] == np.float32(factor):
            start = self.parts.pop()[0].start
        if factor != 1:
            self.parts.append((slice(start, stop), np.float32(factor)))

    def before_gradient(self, flat: Flat, step: int) -> None:
        """Remember parameters and states."""
        self._before = [flat.theta[part].copy() for part, _ in self.parts]
        self._states = [flat.states[part].copy() for part in self.states]

    def before_update(self, flat: Flat, learning_rate: float) -> None:
        """Keep the gradient of frozen parameters out of everything that sums over all of them."""
        for part, factor in self.parts:
            if factor == 0:
                flat.gradient[part] = 0.0

    def after_update(self, flat: Flat) -> None:
        """Take back a part of the update."""
        theta = flat.theta
        for (part, factor), before in zip(self.parts, self._before, strict=True):
            theta[part] = before if factor == 0 else before + (theta[part] - before) * factor
        for part, before in zip(self.states, self._states, strict=True):
            flat.states[part] = before
