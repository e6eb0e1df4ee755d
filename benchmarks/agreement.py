"""Both sides must compute the same before anybody times them."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.networks import Case, initial_parameters, samples
from benchmarks.ours import adam_numbers, inference_session, training_session
from benchmarks.twin import gradients, twin
from striate.layers import Dropout, GaussianNoise, SpatialDropout

LARGEST_DIFFERENCE = 2e-4  # relative to the largest value; float32 sums in another order


def check(case: Case, batch: int) -> float:
    """Return the largest relative difference of outputs and gradients between striate and PyTorch.

    Raises
    ------
    SystemExit
        If it is more than rounding explains.
    """
    network = case.network()
    x, y = samples(case, batch)
    theta = initial_parameters(network)
    inputs = torch.from_numpy(x).float() / 255
    with torch.inference_mode():
        expected = twin(network, theta, logits=False).eval()(inputs).numpy()
    found = {"outputs": _difference(inference_session(case, batch).run(x, np.arange(batch)), expected)}
    if not any(isinstance(step.layer, Dropout | SpatialDropout | GaussianNoise) for step in network.steps):
        model = twin(network, theta)
        torch.nn.functional.cross_entropy(model(inputs), torch.from_numpy(y)).backward()
        session = training_session(case, batch)
        session.step(x, np.arange(batch), y, adam_numbers(1, rate=0.0))
        session.team.rest()
        own = session.vectors.gradient[: network.parameter_count]
        found["gradients"] = _difference(own, gradients(network, model))
    for what, difference in found.items():
        if not difference < LARGEST_DIFFERENCE:
            raise SystemExit(f"benchmarks: {case.model}: {what} differ from PyTorch's by {difference:.1e}.")
    return max(found.values())


def _difference(own: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(own - expected).max() / np.abs(expected).max())
