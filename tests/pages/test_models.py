"""All models of up to 25 million parameters in a page's programs: values and gradients are those of the engine."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model
from striate.explain.attribution import attribute
from striate.models.registry import MODELS, build
from striate.network import Network
from striate.network_description import from_description
from striate.pages.explorer import network_info
from striate.pages.programs import forward_part, gradient_part
from striate.server.source import Loaded
from striate.targets.parcel import parcel_of
from striate.training.initialisation import initialise
from striate.web.bundle import bundle

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="runs the page's worker in Node")
MOST_PARAMETERS = 25_000_000
QUICK = ("mlp", "cnn", "text_cnn")  # the others take minutes together
TOLERANCE = 1e-4  # of the largest value of a layer, or of the gradient
SMOOTH = {
    "ReLU": {"type": "Softplus"},
    "HardSwish": {"type": "SiLU"},
    "HardSigmoid": {"type": "Sigmoid"},
    "HardTanh": {"type": "Softplus"},
    "LeakyReLU": {"type": "Softplus"},
}
RUN = """
const fs = require("fs"), folder = process.argv[1], waiting = [];
const heard = ({ error, result }, [resolve, reject]) => error ? reject(new Error(error)) : resolve(result);
self.postMessage = (answer) => heard(answer, waiting.shift());
const call = (method, ...args) => new Promise((...both) => {
  waiting.push(both);
  self.onmessage({ data: { method, args } });
});
const numbers = (name) => new Float32Array(new Uint8Array(fs.readFileSync(`${folder}/${name}`)).buffer);
const save = (name, values) => fs.writeFileSync(`${folder}/${name}`, Buffer.from(values.buffer));
(async () => {
  const data = JSON.parse(fs.readFileSync(`${folder}/data.json`)), sample = numbers("sample");
  await call("make", data, new Uint8Array(fs.readFileSync(`${folder}/bytes`)));
  const { values } = await call("run", sample);
  data.model.layers.forEach(({ name }, i) => save(`value${i}`, values[name]));
  if (data.probe) save("gradient", await call("gradients", sample, Float32Array.of(1), 1));
})();
"""


def model_of(network: Network) -> Model:
    theta, states = initialise(network, "he", 0)
    return Model(
        network, theta, states + np.random.default_rng(1).uniform(0.0, 0.3, states.shape).astype(np.float32)
    )


def smooth(network: Network) -> Network:
    """Return a network without kinks: a value within rounding of one may fall on either side of it.

    One such value of a ReLU in ResNet-18 moves the gradient of some pixel by 3e-2 of the largest.
    """
    description = network.describe()
    return from_description({**description, "layers": list(map(_smooth, description["layers"]))})


def _smooth(layer: dict[str, Any]) -> dict[str, Any]:
    if layer["type"] in SMOOTH:
        return {"name": layer["name"], "inputs": layer["inputs"], **SMOOTH[layer["type"]]}
    if layer["type"].startswith("MaxPool"):
        known = {key: value for key, value in layer.items() if key != "ceil_mode"}
        return {**known, "type": layer["type"].replace("Max", "Avg")}
    return layer


def in_page(model: Model, sample: np.ndarray, folder: Path) -> tuple[list[np.ndarray], np.ndarray | None]:
    """Return what the page's worker computes: the values of all layers, and the gradient of score 1."""
    parts: dict[str, Any] = {"forward": forward_part(model)}
    found = gradient_part(model)
    if found is not None:
        parts["gradient"] = found[0]
    parcel, info = parcel_of("model", parts), network_info(model)
    layers = [{"name": layer["name"], "shape": layer["shape"]} for layer in info["layers"]]
    known = {"layers": layers, "inputShape": info["inputShape"], "values": info["values"]}
    known["input"] = info["layers"][0]["rule"]
    data = {"parcel": parcel.describe(), "probe": None if found is None else found[1], "model": known}
    (folder / "data.json").write_text(json.dumps(data))
    (folder / "bytes").write_bytes(parcel.data)
    (folder / "sample").write_bytes(sample.astype("<f4").tobytes())
    script = "globalThis.self = {};\n" + bundle("explorer_worker.js") + RUN
    subprocess.run([str(NODE), "-e", script, str(folder)], check=True)
    values = [np.fromfile(folder / f"value{n}", "<f4") for n in range(len(layers))]
    return values, None if found is None else np.fromfile(folder / "gradient", "<f4")


def sample_for(model: Model) -> np.ndarray:
    rng = np.random.default_rng(2)
    if model.network.steps[1].layer.kind == "embedding":
        return rng.integers(0, 100, model.input_shape).astype(np.float32)
    return rng.normal(size=model.input_shape).astype(np.float32)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in MODELS]
)
def test_values_and_gradients_are_those_of_the_engine(name: str, tmp_path: Path) -> None:
    network = build(name)
    if network.parameter_count > MOST_PARAMETERS:
        pytest.skip("larger than a page has to hold")
    model = model_of(network)
    sample = sample_for(model)
    values, _ = in_page(model, sample, tmp_path)
    native = np.frombuffer(Loaded(model.save(tmp_path / "model.safetensors")).values(sample, {}), np.float32)
    begin = 0
    for step, found in zip(model.network.steps, values, strict=True):
        expected = native[begin : begin + found.size]
        begin += found.size
        np.testing.assert_allclose(found, expected, atol=TOLERANCE * np.abs(expected).max(), err_msg=step.name)
    smoothed = model_of(smooth(model.network))
    _, gradient = in_page(smoothed, sample, tmp_path)
    if gradient is not None and model.network.output_shape[0] > 1:
        slopes = attribute(smoothed, sample, "gradient", target=1).values.ravel()
        np.testing.assert_allclose(gradient, slopes, atol=TOLERANCE * np.abs(slopes).max())
