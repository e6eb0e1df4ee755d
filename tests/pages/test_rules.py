"""What the explorer says of a value: its terms add up, for every layer and random settings."""

from __future__ import annotations

import json
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.engine.lowering import rule as lowered
from striate.layers import Layer
from striate.network import Slot, Step
from striate.pages.packing import pack
from striate.pages.rules import rule_of
from striate.testing import OPERATIONS, Seeded, Small
from striate.testing.bounds import forward
from striate.testing.numbers import values_for
from striate.web.bundle import bundle

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="runs the rules in Node")
SEEDS, CELLS = 5, 4
WITHOUT_TERMS = ("recurrent",)
TOLERANCE = 1e-5  # of the largest of the value and the sum of the absolute terms
ASK = """
const fs = require("fs");
const cases = module_numbers.unpackAll(JSON.parse(fs.readFileSync(0, "utf-8")));
const sum = (numbers) => numbers.reduce((a, b) => a + Math.abs(b), 0);
const answers = cases.map(({ layers, values, parameters, cells }) => {
  const named = new Map(layers.map((layer) => [layer.name, layer]));
  const state = { layers: named, values: new Map(Object.entries(values)), parameters };
  return cells.map((index) => {
    const { result, value, products, constants } = decompose(state, "layer", index);
    return [result === null ? null : String(result), String(value), sum(products ?? []) + sum(Object.values(constants ?? {}))];
  });
});
console.log(JSON.stringify(answers));
"""  # noqa: E501


def slots(specs: tuple[Any, ...]) -> tuple[Slot, ...]:
    found, offset = [], 0
    for spec in specs:
        found.append(Slot(f"layer.{spec.name}", spec, offset))
        offset += spec.size
    return tuple(found)


def case_of(name: str, seed: int) -> dict[str, Any]:
    """Return a random case of an operation as the page has it."""
    entry = OPERATIONS[name]
    case = entry.draw(Small(Seeded(seed)))
    values = values_for(entry, case, 1, seed, training=False)
    output = forward(case, values)[0].astype(np.float32)
    layer: Layer = case.layer
    inputs = tuple(f"in{n}" for n in range(len(case.shapes)))
    parameters, states = slots(layer.parameters(*case.shapes)), slots(layer.states(*case.shapes))
    step = Step("layer", layer, inputs, case.shapes, case.output_shape, parameters, states)
    flat = [np.ravel(values.parameters[slot.spec.name]) for slot in parameters]
    theta = np.concatenate([*flat, np.zeros(0)]).astype(np.float32)
    held = np.concatenate([*(np.ravel(values.context.states[s.spec.name]) for s in states), np.zeros(0)])
    model = SimpleNamespace(theta=theta, states=held)
    rng = np.random.default_rng(seed)
    cells = [list(map(int, np.unravel_index(n, output.shape))) for n in rng.integers(0, output.size, CELLS)]
    arrays = {name: pack(x[0]) for name, x in zip(inputs, values.inputs, strict=True)}
    layers = [{"name": name, "inputs": [], "shape": shape} for name, shape in zip(inputs, case.shapes, strict=True)]
    rule = rule_of(model, step)  # type: ignore[arg-type]
    layers.append({"name": "layer", "inputs": inputs, "shape": case.output_shape, "rule": rule})
    return {"layers": layers, "values": arrays | {"layer": pack(output)}, "parameters": pack(theta), "cells": cells}


def decomposed(cases: list[dict[str, Any]]) -> list[list[list[Any]]]:
    command = [NODE, "-e", bundle("rules.js") + ASK]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_the_terms_of_every_layer_add_up_to_its_values() -> None:
    names = [(name, seed) for name in OPERATIONS if name not in WITHOUT_TERMS for seed in range(SEEDS)]
    for (name, seed), cells in zip(names, decomposed([case_of(*each) for each in names]), strict=True):
        for result, value, size in cells:
            assert result is not None, (name, seed)
            bound = TOLERANCE * max(abs(float(value)), size, 1e-6)
            assert abs(float(result) - float(value)) <= bound, (name, seed)


@pytest.mark.parametrize("name", WITHOUT_TERMS)
def test_layers_without_terms_run_only_in_python(name: str) -> None:
    case = case_of(name, 0)
    assert case["layers"][-1]["rule"]["kind"] == "none"
    assert lowered(OPERATIONS[name].draw(Small(Seeded(0))).layer) is None


def test_a_wrong_weight_would_be_seen() -> None:
    case = case_of("convolution", 1)
    case["parameters"] = pack(np.zeros(100_000))
    assert any(abs(float(result) - float(value)) > 1e-3 for result, value, _ in decomposed([case])[0])
