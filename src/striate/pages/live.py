"""``learn.html``: a network that learns in the browser, computed there by our kernels."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.data.options import Options
from striate.data.registry import load
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.layers.base import format_shape
from striate.losses import CLASSES, Loss
from striate.model import Model
from striate.network import Network
from striate.pages.choices import Choice, choices_for, networks
from striate.pages.document import document
from striate.pages.explorer import network_info
from striate.pages.training_programs import BATCH, OPTIMIZERS, evaluation_part, training_part
from striate.storage.atomic import write_atomically
from striate.storage.container import FORMAT
from striate.storage.model_file import Contents, describe
from striate.targets.parcel import Part, parcel_of
from striate.training.defaults import INITIAL
from striate.training.initialisation import INITIALISERS
from striate.training.optimizers import optimizer

MOST_BYTES = 6_000_000
"""Of the samples in a page; of larger data sets it holds a part."""
MOST_VALIDATION = 500
LOSS = "cross_entropy"


def write(
    data: str | Path, path: str | Path, folder: str | Path | None = None, options: Options | None = None
) -> Path:
    """Write a page in which a network learns a data set; return where it is.

    Parameters
    ----------
    data : str or path
        A data set with classes, by name or path: pictures, series, or a table.
    path : path
    folder : path, optional
        Where the files of a named data set are.
    options : Options, optional
        How a path is read.

    Raises
    ------
    UsageError
        If the data have no classes, the page has no networks for them, or they are too few.
    DataError
        If they cannot be read, or the file cannot be written.
    """
    return write_atomically(Path(path), live_page(data, folder, options).encode())


def live_page(data: str | Path, folder: str | Path | None = None, options: Options | None = None) -> str:
    """Return the HTML text of ``write``."""
    return page_of(load(data, folder, options=options), str(data))


def page_of(
    splits: Splits,
    name: str,
    choices: Mapping[str, Choice] | None = None,
    offered: Callable[[int, tuple[int, ...]], dict[str, Network]] = networks,
) -> str:
    """Return the page of a data set.

    Parameters
    ----------
    splits : Splits
    name : str
        What messages call it.
    choices : mapping of str to Choice
        The lines of the list of layers; by default those for such samples.
    offered : function of (classes, shape of a sample)
        Returns the networks by the values of their choices, with commas between them.
    """
    train, validation = _parts(splits, name)
    normalisation = Normalisation.fit(train)
    loss, shape = Loss.of(LOSS), train.inputs.shape[1:]
    choices = choices or choices_for(shape) or {}
    parts, plans = dict[str, Part](), dict[str, Any]()
    for key, network in offered(len(train.classes), shape).items():
        model = Model(network, _zeros(network), classes=train.classes, normalisation=normalisation)
        model.metadata = _metadata(train, loss, splits)
        parts[f"{key}/train"] = training_part(model, loss, train.inputs.dtype, len(train))
        parts[f"{key}/forward"] = evaluation_part(model)
        plans[key] = _plan(model)
    if not plans:
        raise UsageError(f"{name}: samples of {format_shape(shape)} are too small. Use 4 x 4 pixels or more.")
    parcel = parcel_of(train.name, parts)
    info = {
        "name": train.name,
        "classes": list(train.classes),
        "inputShape": list(shape),
        "input": plans[next(iter(plans))]["info"]["input"],
        "choices": {key: [c.text, [[str(v), text] for v, text in c.values.items()]] for key, c in choices.items()},
        "first": next(iter(plans)),
        "plans": plans,
        "batch": BATCH,
        "optimizers": {name: _optimizer(name) for name in OPTIMIZERS},
        "bytes": train.inputs.dtype == np.uint8,
        "train": _described(parcel.add, train),
        "validation": _described(parcel.add, validation),
        "left": len(splits.train) - len(train),
    }
    data_of_page = {"info": info, "parcel": parcel.describe()}
    title, styles = f"{train.name}: a network learns", ("page.css", "learn.css", "vendor/uPlot.min.css")
    libraries = ("vendor/uPlot.iife.min.js",)
    return document(title, "learn.js", "learn_worker.js", data_of_page, bytes(parcel.data), styles, libraries)


def _zeros(network: Network) -> np.ndarray:
    return np.zeros(network.parameter_count, np.float32)


def _parts(splits: Splits, name: str) -> tuple[Dataset, Dataset]:
    """Return the samples to learn from and to validate with, as many as a page holds."""
    train = splits.train
    shape = train.inputs.shape[1:]
    if not train.classes or train.targets.ndim != 1:
        raise UsageError(f"{name}: the page learns classes; got targets of another kind. Use striate train.")
    if choices_for(shape) is None:
        raise UsageError(
            f"{name}: the page learns pictures, series and tables; got samples of {format_shape(shape)}. "
            "Use striate train."
        )
    if len(train) < BATCH:
        raise UsageError(f"{name}: needs at least {BATCH} samples to learn from; got {len(train)}. Add some.")
    train = _converted(train)
    most = max(BATCH, MOST_BYTES // (math.prod(shape) * train.inputs.dtype.itemsize))
    validation = next((part for part in (splits.validation, splits.test) if part is not None and len(part)), train)
    return _drawn(train, most), _drawn(_converted(validation), min(MOST_VALIDATION, most))


def _converted(data: Dataset) -> Dataset:
    """Return a data set whose samples are bytes or float32."""
    inputs = data.inputs if data.inputs.dtype == np.uint8 else np.asarray(data.inputs, np.float32)
    return Dataset(inputs, data.targets, data.classes, data.name)


def _drawn(data: Dataset, most: int) -> Dataset:
    """Return at most so many samples, drawn with a fixed seed."""
    if len(data) <= most:
        return data
    chosen = np.sort(np.random.default_rng(0).choice(len(data), most, replace=False))
    return Dataset(data.inputs[chosen], data.targets[chosen], data.classes, data.name)


def _described(add: Any, data: Dataset) -> dict[str, Any]:
    """Return where the samples and targets of a data set lie in the parcel."""
    inputs = np.ascontiguousarray(data.inputs)
    return {"count": len(data), "inputs": add(inputs.tobytes()), "targets": np.asarray(data.targets).tolist()}


def _metadata(train: Dataset, loss: Loss, splits: Splits) -> dict[str, Any]:
    """Return what the file of a model says of its making; the page fills in what is between signs."""
    found = {"data": train.name, "samples": len(train), "loss_function": loss.describe(), "targets": CLASSES}
    found |= {"optimizer": "@optimizer@", "seed": "@seed@", "epochs": "@epochs@", "steps": "@steps@"}
    return found | ({"preparation": dict(splits.preparation)} if splits.preparation else {})


def _plan(model: Model) -> dict[str, Any]:
    """Return what the page knows of a network."""
    network = model.network
    deviation = INITIALISERS[INITIAL]
    contents = Contents(network, model.theta, model.states, model.classes, model.normalisation, model.metadata)
    body = {"kind": "model", **describe(contents), "format": FORMAT}
    return {
        "info": {**network_info(model), "samples": []},
        "parameters": [
            {
                "name": slot.name,
                "offset": slot.offset,
                "shape": list(slot.spec.shape),
                "deviation": deviation(max(1, slot.spec.fan_in), max(1, slot.spec.fan_out))
                if slot.spec.initial == "weight"
                else 0.0,
                "value": 1.0 if slot.spec.initial == "ones" else 0.0,
            }
            for slot in network.parameters
        ],
        "body": json.dumps(body, sort_keys=True, separators=(",", ":")),
    }


def _optimizer(name: str) -> dict[str, Any]:
    found = optimizer(name)
    return {"class": type(found).__name__, "learningRate": found.learning_rate, **found.config()}
