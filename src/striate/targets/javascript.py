"""A model as an ES module with its kernels as WebAssembly: one file, for web pages and Node."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from striate.engine.program import FORWARD, PACK
from striate.model import Model
from striate.storage.atomic import write_atomically
from striate.targets import typescript
from striate.targets.answers import reading_of
from striate.targets.image import contents_of, program_of
from striate.targets.inputs import input_names
from striate.targets.parcel import Part, parcel_of
from striate.targets.webassembly import LANES, MOST_SUMS
from striate.web.bundle import bundle

RUNS = {"pack": (PACK,), "forward": (FORWARD,)}
EXPORT = "\nexport { load };\n"


def write(model: Model, path: str | Path) -> list[Path]:
    """Write a model as an ES module that exports ``load``, and its types for TypeScript; return both files.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    CapacityError
        If the model needs more memory than a page has.
    DataError
        If the file cannot be written.
    """
    path = Path(path)
    types = typescript.declarations(model, path.name)
    module = write_atomically(path, source(model, path.name).encode())
    return [module, write_atomically(typescript.path_of(path), types.encode())]


def source(model: Model, name: str = "model.js") -> str:
    """Return the text of the module called ``name``."""
    part = Part(program_of(model, LANES, most_sums=MOST_SUMS), contents_of(model), RUNS)
    parcel = parcel_of(model.network.name, {"forward": part})
    data = {
        "model": description(model) | {"inputs": input_names(model)},
        "parcel": parcel.describe(),
        "bytes": base64.b64encode(parcel.data).decode(),
    }
    text = bundle("module.js")
    return text.replace("NAME", name).replace("/*DATA*/ null", json.dumps(data, ensure_ascii=True)) + EXPORT


def description(model: Model) -> dict[str, Any]:
    """Return what JavaScript knows of a model beside its programs, as JSON types."""
    network, units = model.network, model.output_units
    places = math.prod(network.output_shape[1:])
    scale, mean = ([1.0], [0.0]) if units is None else (np.repeat(part, places).tolist() for part in units)
    return {
        "name": network.name,
        "classes": list(model.classes),
        "kind": model.kind,
        "reading": reading_of(model),
        "units": {"mean": mean, "scale": scale},
        "inputShape": list(model.input_shape),
        "outputShape": list(network.output_shape),
        "parameters": {slot.name: [slot.offset, list(slot.spec.shape)] for slot in network.parameters},
    }
