"""The types of an ES module that ``javascript`` writes, for TypeScript."""

from __future__ import annotations

import json
import math
from pathlib import Path

from striate.losses import CLASSES, LABELS, NUMBERS
from striate.model import Model

PREDICTIONS = {
    CLASSES: "label: string; index: number; probability: number; probabilities: number[]",
    LABELS: "labels: string[]; probabilities: number[]",
    NUMBERS: "values: number[]",
}
MAPS = "indices: number[]; probabilities: number[]"
"""Of a class at every place."""
TEXT = """\
// Types of {module}. Made by striate.

/** A picture, such as an ImageData. */
export interface Picture {{
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}}

export interface Prediction {{ {prediction} }}

export type ParameterName = {parameters};

export interface Model {{
  readonly name: string;
  readonly classes: readonly string[];
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** What the numbers of a row of a table are, in order; empty for other models. */
  readonly inputs: readonly string[];
  /** Every learnt array by name, as views: call `changed()` after writing to one. */
  readonly parameters: Readonly<Record<ParameterName, Float32Array>>;
  /** Prepare the weights again after `parameters` were written to. */
  changed(): void;
  /** Return what the network computes from the raw numbers of a sample, channel by channel. */
  outputs(sample: ArrayLike<number>): Float32Array;
  /** Return the prediction for a picture of the network's size, or for raw numbers. */
  predict(input: Picture | ArrayLike<number>): Prediction;
}}

/** Compile the kernels and return the model. */
export function load(): Promise<Model>;
"""


def path_of(module: Path) -> Path:
    """Return where TypeScript looks for the types of a module.

    Examples
    --------
    >>> path_of(Path("digits.js")).name, path_of(Path("digits.mjs")).name
    ('digits.d.ts', 'digits.d.mts')
    """
    return module.with_suffix(".d.mts" if module.suffix == ".mjs" else ".d.ts")


def declarations(model: Model, module: str) -> str:
    """Return the types of the module called ``module``."""
    maps = model.kind == CLASSES and math.prod(model.network.output_shape[1:]) > 1
    names = [json.dumps(slot.name) for slot in model.network.parameters]
    return TEXT.format(
        module=module,
        prediction=MAPS if maps else PREDICTIONS[model.kind],
        parameters=" | ".join(names) or "never",
    )
