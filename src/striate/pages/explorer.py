"""``page.html``: a trained model to explore in a browser, computed there by our kernels."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data.tables import Schema
from striate.explain.board import layer_text
from striate.explain.positions import axis_names
from striate.explain.samples import feature_names
from striate.explain.tracing import score_step
from striate.layers.embedding import Embedding
from striate.layers.shape import Flatten, Reshape
from striate.model import Model
from striate.network import Network
from striate.pages.document import document
from striate.pages.packing import pack
from striate.pages.programs import forward_part, gradient_part
from striate.pages.rules import rule_of
from striate.pages.samples import samples_of
from striate.receptive_field import AxisField, receptive_fields, seen_text
from striate.storage.atomic import write_atomically
from striate.targets.javascript import description
from striate.targets.parcel import parcel_of

MOST_LISTED = 64  # numbers that are written as text


def write(model: Model, path: str | Path, samples: str | Path | None = None) -> Path:
    """Write the explorer of a model as one HTML file; return where it is.

    Parameters
    ----------
    model : Model
    path : path
    samples : str or path, optional
        A data set by name or path whose samples the page offers; by default that of the training, if it is
        built in.

    Raises
    ------
    UsageError
        If a layer has no kernels, or the samples do not fit.
    CapacityError
        If the model needs more memory than a page has.
    DataError
        If the samples cannot be read, or the file cannot be written.
    """
    return write_atomically(Path(path), explorer_page(model, samples).encode())


def explorer_page(model: Model, samples: str | Path | None = None) -> str:
    """Return the HTML text of ``write``."""
    parts, probe = {"forward": forward_part(model)}, None
    if (gradient := gradient_part(model)) is not None:
        parts["gradient"], probe = gradient
    parcel = parcel_of(model.network.name, parts)
    data = {
        "info": model_info(model, samples=samples),
        "parcel": parcel.describe(),
        "probe": probe,
    }
    return document(model.network.name, "explorer.js", "explorer_worker.js", data, bytes(parcel.data))


def model_info(model: Model, *, samples: str | Path | None = None) -> dict[str, Any]:
    """Return the explorer's facts about a model, as JSON types.

    ``web/source.js`` says where it goes; ``samples`` as in ``write``.
    """
    return {**network_info(model), "samples": samples_of(model, samples)}


def network_info(model: Model) -> dict[str, Any]:
    """Return the part of ``model_info`` that needs no data."""
    network = model.network
    fields, featured = receptive_fields(network), _featured(network)
    preparation: Mapping[str, Any] = model.metadata.get("preparation") or {}
    return {
        **description(model),
        "classes": list(model.output_names),
        "layers": [
            {
                "name": step.name,
                "layer": "the network's input" if not step.inputs else layer_text(step),
                "inputs": list(step.inputs),
                "shape": list(step.shape),
                "axes": list(axis_names(step.shape)),
                "parameters": sum(slot.spec.size for slot in step.parameters),
                "field": seen_text(fields[step.name], network.input_shape, " × ") if step.inputs else "",
                "seen": [_seen(axis) for axis in fields[step.name]],
                "rule": rule_of(model, step),
                "features": step.name in featured,
            }
            for step in network.steps
        ],
        "parameterCount": network.parameter_count,
        "multiplications": sum(
            step.layer.multiply_adds(*step.input_shapes) for step in network.steps if step.inputs
        ),
        "scored": score_step(network),
        "input": _input_kind(model),
        "fit": preparation.get("fit", "stretch"),
        "features": list(feature_names(model)),
        "columns": _columns(model),
        "rate": preparation.get("rate"),
        "words": (preparation.get("text") or {}).get("words", []),
        "values": math.prod(network.input_shape),
    }


def _featured(network: Network) -> set[str]:
    """Return the steps that hold one value for each feature: the input, and its reshaped copies."""
    found = set[str]()
    for step in network.steps:
        if not step.inputs or (isinstance(step.layer, Flatten | Reshape) and set(step.inputs) <= found):
            found.add(step.name)
    return found


def _columns(model: Model) -> list[dict[str, Any]]:
    """Return the columns of the table that a model takes: where each begins in the inputs, its categories."""
    table = (model.metadata.get("preparation") or {}).get("table")
    columns = Schema.from_dict(table).columns if table else ()
    firsts = itertools.accumulate((len(column.features) for column in columns), initial=0)
    return [
        {
            "name": f"{column.name} (days since 1970)" if column.date else column.name,
            "first": first,
            "categories": list(column.categories),
        }
        for column, first in zip(columns, firsts, strict=False)
    ]


def _seen(axis: AxisField) -> list[Any]:
    """Return the first and the last input position that each value along an axis sees."""
    ends = (axis.firsts, axis.lasts)
    return [found.tolist() if len(found) <= MOST_LISTED else pack(found, "i4") for found in ends]


def _input_kind(model: Model) -> str:
    """Return the kind of input: "picture", "series", "symbols", "table", "text" or "volume"."""
    shape = model.input_shape
    if any(isinstance(step.layer, Embedding) for step in model.network.steps):
        return "text" if (model.metadata.get("preparation") or {}).get("text") else "symbols"
    if math.prod(shape[1:]) == 1:
        return "table"
    if len(shape) == 2:
        return "series"
    return "picture" if len(shape) == 3 and shape[0] in (1, 3) else "volume"
