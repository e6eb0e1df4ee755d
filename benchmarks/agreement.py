"""Both sides must compute the same before anybody times them."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.networks import Case, initial_parameters, samples
from benchmarks.ours import adam_numbers, inference_session, training_session
from benchmarks.twin import gradients, twin
from striate.layers import Dropout, GaussianNoise, ReLU, Softplus, SpatialDropout
from striate.layers.registry import to_dict
from striate.network import Network
from striate.network_description import from_description

LARGEST_DIFFERENCE = 2e-4  # relative to the largest value; float32 sums in another order


def check(case: Case, batch: int) -> float:
    """Return the largest relative difference of outputs and gradients between striate and PyTorch.

    A value within rounding of 0 before a ReLU may fall on either side of it, and in a deep network one such value
    moves some gradients by a hundredth: in float64 too, if the parameters are disturbed by a millionth. So the
    gradients are compared with a smooth function that grows, Softplus, in place of every ReLU; outputs with both.

    Raises
    ------
    SystemExit
        If it is more than rounding explains.
    """
    x, y = samples(case, batch)
    found = {"outputs": _of_outputs(case.network(), case, x)}
    network = smooth(case.network())
    found["outputs without ReLU"] = _of_outputs(network, case, x)
    if not any(isinstance(step.layer, Dropout | SpatialDropout | GaussianNoise) for step in network.steps):
        found["gradients"] = _of_gradients(network, x, y)
    for what, off in found.items():
        if not off < LARGEST_DIFFERENCE:
            raise SystemExit(f"benchmarks: {case.model}: {what} differ from PyTorch's by {off:.1e}.")
    return max(found.values())


def smooth(network: Network) -> Network:
    """Return ``network`` with Softplus in place of every ReLU."""
    description, old, new = network.describe(), to_dict(ReLU())["type"], to_dict(Softplus())
    changed = [{**layer, **new} if layer["type"] == old else layer for layer in description["layers"]]
    return from_description({**description, "layers": changed})


def _of_outputs(network: Network, case: Case, x: np.ndarray) -> float:
    with torch.inference_mode():
        model = twin(network, initial_parameters(network), logits=False).eval()
        expected = model(torch.from_numpy(x).float() / 255).numpy()
    return difference(inference_session(network, len(x)).run(x, np.arange(len(x))), expected)


def _of_gradients(network: Network, x: np.ndarray, y: np.ndarray) -> float:
    model = twin(network, initial_parameters(network))
    torch.nn.functional.cross_entropy(model(torch.from_numpy(x).float() / 255), torch.from_numpy(y)).backward()
    session = training_session(network, len(x))
    session.step(x, np.arange(len(x)), y, adam_numbers(1, rate=0.0))
    session.team.rest()
    return difference(session.vectors.gradient[: network.parameter_count], gradients(network, model))


def difference(own: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference relative to the largest value; 0 where there are no values."""
    return float(np.abs(own - expected).max(initial=0.0) / max(np.abs(expected).max(initial=0.0), 1e-30))
