"""Turn a model into one whose convolutions and fully connected layers compute in 8-bit integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.streaming import blocks
from striate.errors import UsageError
from striate.model.part import part_of
from striate.model.quantisation.choice import Sums, sums_of
from striate.model.quantisation.parameters import whole_parameters
from striate.model.quantisation.ranges import choose, observe
from striate.model.quantisation.rewriting import Rewriting

if TYPE_CHECKING:
    from striate.model.core import Inputs, Model

SAMPLES = 512  # of the calibration data that are looked at


def quantise(model: Model, calibration: Inputs | Dataset) -> Model:
    """Return the quantised model; see ``Model.quantise``."""
    if model.network.is_quantised:
        raise UsageError(f"{model.network.name}: is already quantised. Quantise the float32 model it came from.")
    samples, whole = _samples(model, calibration), model
    model = part_of(model, model.network.steps[-1].name)  # without the heads that help training alone
    layers = sums_of(model.network)
    chosen = [layer for layer in layers if not layer.refused]
    if not chosen:
        raise UsageError(f"{model.network.name}: no layer would be faster in integers. Keep the float32 model.")
    names = _observed(model, chosen)
    ranges = {name: choose(values) for name, values in observe(model, samples, names).items()}
    rewriting = Rewriting(model.network, {layer.step.name: layer for layer in chosen}, ranges)
    network = rewriting.network()
    theta, states = whole_parameters(model, network, chosen)
    return type(model)(
        network,
        theta,
        states,
        whole.classes,
        whole.normalisation,
        {**whole.metadata, "quantisation": _described(layers, len(samples))},
        whole.threads,
        whole.winograd,
        whole.target_normalisation,
    )


def _samples(model: Model, calibration: Inputs | Dataset) -> np.ndarray:
    """Return up to 512 raw samples, spread over the calibration data."""
    whole = calibration.inputs if isinstance(calibration, Dataset) else calibration
    found = model.raw_samples(whole)
    if not len(found):
        raise UsageError(f"{model.network.name}: calibration needs at least one sample; got none.")
    numbers = np.unique(np.linspace(0, len(found) - 1, min(SAMPLES, len(found))).astype(np.int64))
    _, block, places = next(blocks(found, [numbers]))
    return np.ascontiguousarray(block[places])


def _observed(model: Model, chosen: list[Sums]) -> list[str]:
    """Return the layers whose values become integers: inputs and outputs of the chosen layers."""
    names = {name for layer in chosen for name in (layer.step.inputs[0], layer.end)}
    return [step.name for step in model.network.steps if step.name in names]


def _described(layers: list[Sums], samples: int) -> dict[str, Any]:
    """Return the metadata: the layers that stay in float32, with the reasons."""
    kept = {layer.step.name: layer.refused for layer in layers if layer.refused}
    return {"samples": samples, "float32": kept}
