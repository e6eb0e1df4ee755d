"""A model as an ES module: run by Node, it gives the numbers of the model."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from striate import Model, Sequential, layers, models
from striate.data.normalisation import Normalisation
from striate.data.tables import Schema
from striate.data.tables.columns import Column
from striate.errors import CapacityError, UsageError
from striate.layers import Conv2d, Flatten, Linear
from striate.network import Network
from striate.targets import answers, javascript, parcel
from striate.training.initialisation import initialise

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="runs the module in Node")
ASK = """
import { load } from %s;
import fs from "fs";
const model = await load();
const ask = JSON.parse(fs.readFileSync(0, "utf-8"));
const outputs = ask.samples.map((x) => Array.from(model.outputs(x)));
const predictions = ask.samples.map((x) => model.predict(x));
let refused = "";
try { model.outputs([1]); } catch (error) { refused = error.message; }
for (const values of Object.values(model.parameters)) values.fill(0);
model.changed();
console.log(JSON.stringify({ outputs, predictions, refused, after: Array.from(model.outputs(ask.samples[0])) }));
"""


def run(model: Model, samples: np.ndarray, folder: Path) -> dict:
    path, _ = javascript.write(model, folder / "model.mjs")
    (folder / "ask.mjs").write_text(ASK % json.dumps(str(path)), encoding="utf-8")
    asked = json.dumps({"samples": samples.reshape(len(samples), -1).tolist()})
    command = [NODE, str(folder / "ask.mjs")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def model_of(network: Network, **options: object) -> Model:
    rng = np.random.default_rng(1)
    theta, _ = initialise(network, "lecun", 0)
    states = (network.initial_states() + rng.uniform(0.0, 0.3, network.state_count)).astype(np.float32)
    return Model(network, (theta + 0.05 * rng.normal(size=theta.shape)).astype(np.float32), states, **options)


def samples_for(model: Model, count: int = 2) -> np.ndarray:
    return np.random.default_rng(2).uniform(0.0, 255.0, (count, *model.input_shape)).round().astype(np.float32)


NETWORKS = {
    "lenet5": lambda: models.lenet5(10, (1, 28, 28)),
    "small_vgg": lambda: models.small_vgg(10, (3, 32, 32)),
    "signal_cnn": lambda: models.signal_cnn(4, (2, 200)),
    "photo_cnn": lambda: models.photo_cnn(3, (3, 48, 48)),
    "others": lambda: Sequential(
        [Conv2d(6, 3, padding="same"), layers.PReLU(), layers.LocalResponseNorm(3), layers.GELU(),
         layers.AvgPool2d(2), Conv2d(6, 3, groups=2), layers.GroupNorm(2), Flatten(), Linear(5),
         layers.LogSoftmax()],
        (4, 14, 13),
    ),
}  # fmt: skip


@needs_node
@pytest.mark.parametrize("name", NETWORKS)
def test_gives_the_outputs_of_the_model(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]()
    channels, classes = network.input_shape[0], [f"class {i}" for i in range(network.output_shape[0])]
    normalisation = Normalisation((120.0,) * channels, (64.0,) * channels)
    model = model_of(network, normalisation=normalisation, classes=classes)
    samples = samples_for(model)
    found, expected = run(model, samples, tmp_path), model.outputs(samples)
    np.testing.assert_allclose(found["outputs"], expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    probabilities = model.predict_proba(samples)
    for prediction, shares in zip(found["predictions"], probabilities, strict=True):
        assert prediction["label"] == model.classes[int(shares.argmax())]
        np.testing.assert_allclose(prediction["probabilities"], shares, atol=1e-4)
    assert "numbers" in found["refused"]
    assert found["refused"].endswith("got 1.")
    model.theta[:] = 0.0
    np.testing.assert_allclose(found["after"], model.outputs(samples[:1])[0], atol=1e-6)


@needs_node
@pytest.mark.parametrize(
    ("last", "shape", "units", "loss"),
    [
        (Linear(1), (3,), Normalisation((200.0,), (50.0,)), "mean_squared_error"),
        (Conv2d(2, 3), (1, 5, 5), Normalisation((200.0, -7.0), (50.0, 3.0)), "mean_squared_error"),
        (Linear(2), (3,), None, "poisson_negative_log_likelihood"),
        (Linear(2), (3,), Normalisation((0.0, 0.0), (50.0, 3.0)), "poisson_negative_log_likelihood"),
        (Linear(4), (3,), Normalisation((200.0, -7.0), (50.0, 3.0)), "gaussian_negative_log_likelihood"),
    ],
)
def test_gives_numbers_in_the_units_of_the_user(
    last: layers.Layer, shape: tuple[int, ...], units: Normalisation | None, loss: str, tmp_path: Path
) -> None:
    metadata = {"targets": "numbers", "loss_function": {"name": loss}}
    model = model_of(Sequential([last], shape), target_normalisation=units, metadata=metadata)
    samples = samples_for(model) / 255
    found, meaning = run(model, samples, tmp_path), model.interpret(model.outputs(samples))
    expected = (
        meaning.values if meaning.variances is None else np.hstack([meaning.values, np.log(meaning.variances)])
    )
    values = np.reshape([p["values"] for p in found["predictions"]], expected.shape)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(answers.answering(model).outputs(samples), expected, rtol=1e-5)


@needs_node
def test_names_the_columns_of_a_table(tmp_path: Path) -> None:
    schema = Schema((Column("town", ("Bern", "Köln")), Column("size", fill=1.0)), ("y",), (), True, (3,))
    metadata = {"preparation": {"table": schema.to_dict()}}
    path, _ = javascript.write(model_of(Sequential([Linear(2)], (3,)), metadata=metadata), tmp_path / "model.mjs")
    text = f"import {{ load }} from {json.dumps(str(path))}; console.log(JSON.stringify((await load()).inputs));"
    (tmp_path / "ask.mjs").write_text(text, encoding="utf-8")
    done = subprocess.run([NODE, str(tmp_path / "ask.mjs")], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["town=Bern", "town=Köln", "size"]


USE = """
import { load, type ParameterName, type Prediction } from "./model.js";

export async function use(image: ImageData): Promise<Prediction> {
  const model = await load(), name: ParameterName = "conv1.weight";
  model.parameters[name].fill(0);
  model.changed();
  const shape: readonly number[] = model.inputShape, outputs: Float32Array = model.outputs(new Float32Array(64));
  const names: readonly string[] = model.inputs, same = outputs.length === model.classes.length;
  if (names.length || shape.length !== 3 || !same) throw new Error(model.name);
  return model.predict([1, 2, 3]).%s.length ? model.predict(image) : model.predict(outputs);
}
"""


def kind_of_model(field: str) -> Model:
    """Return a model whose predictions have a field."""
    convolution = Conv2d(3, 3, padding="same", name="conv1")
    if field == "indices":
        return model_of(Sequential([convolution, layers.Softmax()], (1, 8, 8)), classes=["a", "b", "c"])
    targets = {"label": "classes", "labels": "labels", "values": "numbers"}[field]
    network = Sequential([convolution, Flatten(), Linear(3)], (1, 8, 8))
    return model_of(network, classes=["a", "b", "c"], metadata={"targets": targets})


@pytest.mark.parametrize("field", ["label", "labels", "values", "indices"])
def test_types_say_what_predictions_have(field: str, tmp_path: Path) -> None:
    _, types = javascript.write(kind_of_model(field), tmp_path / "model.js")
    assert types.name == "model.d.ts"
    text = types.read_text("utf-8")
    assert f"interface Prediction {{ {field}: " in text
    assert 'ParameterName = "conv1.weight" | "conv1.bias"' in text
    if (compiler := shutil.which("tsc")) is not None:
        for used, works in ((field, True), ("nothing", False)):
            (tmp_path / "use.ts").write_text(USE % used, "utf-8")
            command = [compiler, "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "use.ts"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert (done.returncode == 0) is works, done.stdout


def test_refuses_layers_without_kernels() -> None:
    class Cube(layers.Layer):
        kind = "cube"

        def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
            return inputs[0]

    with pytest.raises(UsageError, match=r"cube1 \(Cube\)"):
        javascript.source(model_of(Sequential([Cube(), Linear(1)], (3,))))


def test_refuses_models_larger_than_the_memory_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_BYTES", 2**16)
    with pytest.raises(CapacityError, match="a page has 0 GB of memory"):
        javascript.source(model_of(Sequential([Linear(1)], (3,))))
