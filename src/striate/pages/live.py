"""``learn.html``: a network that learns in the browser, computed there by our kernels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.options import Options
from striate.data.registry import load
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.layers.base import format_shape
from striate.model import Model
from striate.network import Slot
from striate.pages import offer as offers
from striate.pages.document import document
from striate.pages.explorer import network_info
from striate.pages.offer import Offer
from striate.pages.problem import Problem, reduced
from striate.pages.training_programs import BATCH, OPTIMIZERS, evaluation_part, training_part
from striate.storage.atomic import write_atomically
from striate.storage.container import FORMAT
from striate.storage.model_file import describe
from striate.targets.parcel import Part, parcel_of
from striate.training.defaults import INITIAL
from striate.training.initialisation import INITIALISERS
from striate.training.optimizers import optimizer

FACTS = ("optimizer", "seed", "epochs", "steps")
"""What the file of a model says of its training; the page fills it in."""


def write(
    data: str | Path,
    path: str | Path,
    folder: str | Path | None = None,
    options: Options | None = None,
    network: str | None = None,
) -> Path:
    """Write a page in which a network learns a data set; return where it is.

    Parameters
    ----------
    data : str or path
        A data set by name or path: pictures, series, or a table, with classes or numbers as targets, or pictures
        with a class for every pixel.
    path : path
    folder : path, optional
        Where the files of a named data set are.
    options : Options, optional
        How a path is read.
    network : str, optional
        A network by name, a TOML file with layers, or a saved model; by default a list of layers to choose from.

    Raises
    ------
    UsageError
        If the page has no networks for the data, cannot learn their targets, or they are too few.
    ShapeError
        If the network does not fit the data.
    CapacityError
        If the network needs more memory than a page has.
    DataError
        If the data cannot be read, or the file cannot be written.
    """
    return write_atomically(Path(path), live_page(data, folder, options, network).encode())


def live_page(
    data: str | Path, folder: str | Path | None = None, options: Options | None = None, network: str | None = None
) -> str:
    """Return the HTML text of ``write``."""
    splits = load(data, folder, options=options)
    return page_of(splits, str(data), None if network is None else offers.own(network, splits.train))


def page_of(splits: Splits, name: str, offer: Offer | None = None) -> str:
    """Return the page of a data set.

    Parameters
    ----------
    splits : Splits
    name : str
        What messages call it.
    offer : Offer, optional
        The networks; by default the usual ones for such samples.
    """
    train, validation = reduced(splits, name)
    offer = offer or offers.usual(train)
    if not offer.networks:
        shape = format_shape(train.sample_shape)
        raise UsageError(f"{name}: samples of {shape} are too small. Use 4 x 4 pixels or more.")
    problems = {
        key: Problem.of(network, train, validation, splits.preparation) for key, network in offer.networks.items()
    }
    parts = dict[str, Part]()
    for key, problem in problems.items():
        parts[f"{key}/train"] = training_part(problem.model, problem.job.plan.loss, train.inputs.dtype, len(train))
        parts[f"{key}/forward"] = evaluation_part(problem.model)
    parcel, first = parcel_of(train.name, parts), next(iter(problems))
    plans = {
        key: _plan(problem.model, parcel.add, isinstance(offer.networks[key], Model))
        for key, problem in problems.items()
    }
    info = {
        "name": train.name,
        "choices": {
            key: [c.text, [[str(v), text] for v, text in c.values.items()]] for key, c in offer.choices.items()
        },
        "own": offer.is_fixed,
        "first": first,
        "plans": plans,
        "batch": BATCH,
        "optimizers": {name: _optimizer(name) for name in OPTIMIZERS},
        "left": len(splits.train) - len(train),
        **problems[first].describe(parcel.add),
    }
    data = {"info": info, "parcel": parcel.describe()}
    title, styles = f"{train.name}: a network learns", ("page.css", "learn.css", "vendor/uPlot.min.css")
    libraries = ("vendor/uPlot.iife.min.js",)
    return document(title, "learn.js", "learn_worker.js", data, bytes(parcel.data), styles, libraries)


def _plan(model: Model, add: Callable[[bytes], Any], is_saved: bool) -> dict[str, Any]:
    """Return the page's facts about a network."""
    network = model.network
    metadata = {**model.metadata, **{fact: f"@{fact}@" for fact in FACTS}}
    contents = replace(model.contents(), metadata=metadata)
    body = {"kind": "model", **describe(contents), "format": FORMAT}
    return {
        "info": {**network_info(model), "samples": []},
        "parameters": list(map(_first_values, network.parameters)),
        "states": list(map(_first_values, network.states)),
        "saved": [add(_bytes(model.theta)), add(_bytes(model.states))] if is_saved else None,
        "body": json.dumps(body, sort_keys=True, separators=(",", ":")),
    }


def _first_values(slot: Slot) -> dict[str, Any]:
    """Return where a parameter or state lies, and its first values: normal with a deviation, or constant."""
    spec = slot.spec
    found = {"name": slot.name, "offset": slot.offset, "shape": list(spec.shape), "deviation": 0.0, "value": 0.0}
    if spec.initial == "weight":
        return found | {"deviation": INITIALISERS[INITIAL](max(1, spec.fan_in), max(1, spec.fan_out))}
    constants: Mapping[Any, float] = {"zeros": 0.0, "ones": 1.0}
    return found | {"value": constants[spec.initial] if spec.initial in constants else float(spec.initial)}


def _bytes(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, "<f4").tobytes()


def _optimizer(name: str) -> dict[str, Any]:
    found = optimizer(name)
    return {"class": type(found).__name__, "learningRate": found.learning_rate, **found.config()}
