"""Weights written as ``.safetensors``, under the names that torchvision gives them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from striate.interop.pytorch.names import torch_names, torch_shape
from striate.layers import BatchNorm
from striate.model import Model
from striate.storage.atomic import write_atomically


def save_weights(model: Model, path: Path) -> Path:
    """Write the weights of ``model`` with torchvision's names, for ``load_state_dict``; return where they are.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    names, arrays = torch_names(model.network), {}
    for step in model.network.steps:
        for slots, vector in ((step.parameters, model.theta), (step.states, model.states)):
            for slot in slots:
                view = slot.view(vector)
                arrays[names[slot.name]] = view.reshape(torch_shape(step, view.shape))
        if isinstance(step.layer, BatchNorm):
            module = names[step.states[0].name].rpartition(".")[0]
            arrays[f"{module}.num_batches_tracked"] = np.zeros((), np.int64)
    return save_arrays(path, arrays)


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write arrays by name as one ``.safetensors`` file, atomically."""
    from safetensors.numpy import save

    return write_atomically(path, save({name: np.asarray(a, order="C") for name, a in arrays.items()}))
