"""Initial values of parameters: a pure function of the seed and each parameter's name."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

import numpy as np

from striate.errors import unknown_name
from striate.layers.base import Parameter
from striate.network import Network
from striate.training.defaults import INITIAL


def he(fan_in: int, fan_out: int) -> float:
    """Return ``sqrt(2 / fan_in)``, which keeps the variance of signals through ReLUs.

    References
    ----------
    He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers", equation 10.
    """
    return math.sqrt(2.0 / fan_in)


def glorot(fan_in: int, fan_out: int) -> float:
    """Return ``sqrt(2 / (fan_in + fan_out))``, a compromise between signals forward and gradients backward.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks",
    equation 12.
    """
    return math.sqrt(2.0 / (fan_in + fan_out))


def lecun(fan_in: int, fan_out: int) -> float:
    """Return ``sqrt(1 / fan_in)``, which keeps the variance of signals through linear units.

    References
    ----------
    LeCun, Bottou, Orr and Mueller (1998), "Efficient BackProp", section 4.6.
    """
    return math.sqrt(1.0 / fan_in)


INITIALISERS: dict[str, Callable[[int, int], float]] = {"glorot": glorot, "he": he, "lecun": lecun}
"""Functions of (fan_in, fan_out) that return the standard deviation of normal weights."""


def initialise(network: Network, initial: str = INITIAL, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial parameters and states of a network.

    Weights are normal with mean 0 and the initialiser's standard deviation; biases, scales and running
    statistics are the constants that their layers ask for. A parameter's values depend on the seed and on
    its name only, so a network with another layer added starts with the same values elsewhere.

    Parameters
    ----------
    network : Network
    initial : {"glorot", "he", "lecun"}
    seed : int

    Returns
    -------
    theta : float32[parameter_count]
    states : float32[state_count]

    Raises
    ------
    UsageError
        If there is no such initialiser.
    """
    if initial not in INITIALISERS:
        raise unknown_name("initial", initial, INITIALISERS)
    deviation = INITIALISERS[initial]
    theta = np.zeros(network.parameter_count, np.float32)
    for slot in network.parameters:
        slot.view(theta)[...] = _values(slot.spec, slot.name, deviation, seed)
    states = np.zeros(network.state_count, np.float32)
    for slot in network.states:
        slot.view(states)[...] = _values(slot.spec, slot.name, deviation, seed)
    return theta, states


def _values(spec: Parameter, name: str, deviation: Callable[[int, int], float], seed: int) -> np.ndarray | float:
    if spec.initial == "weight":
        spread = deviation(max(1, spec.fan_in), max(1, spec.fan_out))
        return spread * normal(spec.size, name, seed).reshape(spec.shape)
    constants = {"zeros": 0.0, "ones": 1.0}
    return constants[spec.initial] if isinstance(spec.initial, str) else float(spec.initial)


def normal(count: int, name: str, seed: int) -> np.ndarray:
    """Return standard normal numbers, float64[count], that depend on the name and the seed only.

    Raw words of a Philox generator, whose stream is fixed for good, go through the method of
    Box and Muller (1958).
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    words = np.random.Philox(key=int.from_bytes(digest[:16], "little")).random_raw(2 * ((count + 1) // 2))
    uniform = ((words >> np.uint64(11)) + 0.5) * 2.0**-53
    radius, angle = np.sqrt(-2.0 * np.log(uniform[::2])), 2.0 * np.pi * uniform[1::2]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
