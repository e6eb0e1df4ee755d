"""The parameters and states of a model, and whether a session has their latest values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import readable
from striate.errors import ShapeError
from striate.network import Network

if TYPE_CHECKING:
    from striate.engine.inference_session import InferenceSession


class Vectors:
    """The parameters and running statistics of a network.

    Parameters
    ----------
    network : Network
    theta : float32[parameter_count]
    states : float32[state_count], optional
        Zeros by default.
    """

    def __init__(self, network: Network, theta: np.ndarray, states: np.ndarray | None = None) -> None:
        self.network = network
        self.theta = theta
        self.states = np.zeros(network.state_count, np.float32) if states is None else states

    @property
    def theta(self) -> np.ndarray:
        """All parameters, float32[parameter_count]; only a vector of the same length may replace it."""
        self._exposed = True
        return self._theta

    @theta.setter
    def theta(self, values: np.ndarray) -> None:
        self._theta = _vector(values, self.network.parameter_count, f"{self.network.name}: parameters")
        self._exposed = True

    @property
    def states(self) -> np.ndarray:
        """Running statistics, float32[state_count]; only a vector of the same length may replace it."""
        self._exposed = True
        return self._states

    @states.setter
    def states(self, values: np.ndarray) -> None:
        self._states = _vector(values, self.network.state_count, f"{self.network.name}: states")
        self._exposed = True

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Every array of parameters by name, as views into ``theta``."""
        return self.network.views(self.theta)

    def load_into(self, session: InferenceSession) -> None:
        """Pass the vectors to a session, unless it has them already.

        The arrays are compared with those of the session only while somebody else holds them, and may have
        changed them in place.
        """
        if self._exposed:
            self._version = object()
            self._exposed = max(_references(self._theta), _references(self._states)) > _ALONE
        if session.version is not self._version:
            session.load(self._theta, self._states)
            session.version = self._version

    def __getstate__(self) -> dict[str, Any]:
        kept = {
            name: value for name, value in vars(self).items() if not name.startswith("_pool") and name != "_version"
        }
        return {**kept, "_exposed": True}


class _Alone:
    """Holds an array as a model does, without any other owner."""

    def __init__(self) -> None:
        self._theta = np.zeros(1)

    def references(self) -> int:
        """Return what `_references` tells of it, which depends on the version of Python."""
        return _references(self._theta)


def _references(array: np.ndarray) -> int:
    return sys.getrefcount(array)


_ALONE = _Alone().references()


def _vector(values: np.ndarray, count: int, what: str) -> np.ndarray:
    values = np.ascontiguousarray(readable(values, what), np.float32)
    if values.shape != (count,):
        raise ShapeError(f"{what}: needs a vector of {count} numbers; got shape {list(values.shape)}.")
    return values if values.flags.owndata else values.copy()  # views count as references of the owner
