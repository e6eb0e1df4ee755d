"""Pages in headless Chromium: size and opening time, one picture, training; beside ONNX Runtime Web and ConvNetJS.

Needs Chromium, and Playwright (``pip install playwright``) to drive it; the peers come from npm. Everything runs on
one thread.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks import pytorch
from benchmarks.browser import Tab, install, served, tabs
from benchmarks.networks import CASES, Case, initial_parameters, samples
from benchmarks.report import table
from benchmarks.timing import Speeds, Work, alternate
from striate import Model
from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.interop.writing import write
from striate.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Softmax
from striate.network import Network
from striate.pages import explorer, live
from striate.pages.offer import Offer
from striate.pages.training_programs import BATCH
from striate.storage.atomic import write_atomically

NETWORKS = ("lenet5", "small_vgg")
OWN, ORT, CONVNET, TORCH = "striate", "ONNX Runtime Web", "ConvNetJS", "PyTorch, native"
SAMPLES = 4096
LOAD_OWN = "async (url) => { window.model = await (await import(url)).load(); }"
RUN_OWN = "([count, size]) => { const x = new Float32Array(size).fill(0.5); while (count--) model.outputs(x); }"
LOAD_ORT = """async ([packages, url]) => {
  const ort = await import(`${packages}/onnxruntime-web/dist/ort.wasm.min.mjs`);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: `${packages}/onnxruntime-web/dist/` });
  Object.assign(window, { ort, session: await ort.InferenceSession.create(url, { executionProviders: ["wasm"] }) });
}"""
RUN_ORT = """async ([count, shape]) => {
  const x = new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5), [name] = session.inputNames;
  while (count--) await session.run({ [name]: new ort.Tensor("float32", x, shape) });
}"""
LOAD_CONVNET = """async ([packages, layers, options]) => {
  window.module = undefined;
  const script = document.createElement("script");
  script.src = `${packages}/convnetjs/build/convnet-min.js`;
  await new Promise((resolve) => { script.onload = resolve; document.head.append(script); });
  window.net = new convnetjs.Net();
  net.makeLayers(layers);
  window.trainer = new convnetjs.SGDTrainer(net, options);
}"""
RUN_CONVNET = """([count, [channels, rows, columns]]) => {
  const x = new convnetjs.Vol(columns, rows, channels, 0.5);
  for (; count > 0; count--) net.forward(x);
}"""
TRAIN_CONVNET = """([count, [channels, rows, columns]]) => {
  const x = new convnetjs.Vol(columns, rows, channels, 0.5);
  for (; count > 0; count--) trainer.train(x, count % 10);
}"""
WARM_UP = 50
"""Steps after which the browser has optimised what they run."""
TRAIN_OWN = "async (steps) => { await striate.worker.call('steps', steps); }"


def web(options: argparse.Namespace) -> list[str]:
    """Time the pages that ``striate export`` writes, and what other libraries do in the same browser."""
    lines = ["### In a browser (headless Chromium, one thread)", ""]
    with tempfile.TemporaryDirectory() as name, tabs() as new_tab, served(Path(name)) as address:
        folder = Path(name)
        versions = install(folder)
        if isinstance(versions, str):
            lines += [f"ONNX Runtime Web and ConvNetJS are left out: {versions}.", ""]
        else:
            lines += [f"npm: {', '.join(f'{peer} {number}' for peer, number in versions.items())}.", ""]
        peers = isinstance(versions, dict)
        lines += _pages(new_tab, folder)
        for network in NETWORKS:
            lines += _inference(new_tab, folder, address, network, peers, options)
        return lines + _training(new_tab, folder, address, peers, options)


def _pages(new_tab: Any, folder: Path) -> list[str]:
    """Measure the explorers: bytes, seconds until they are ready, messages."""
    rows = []
    for name in NETWORKS:
        path, tab = explorer.write(_model(CASES[name]), folder / "page.html"), new_tab()
        seconds = tab.open(path.as_uri(), "window.striate && striate.raw && !striate.busy")
        rows.append((name, f"{path.stat().st_size / 1e6:.2f} MB", f"{seconds:.2f} s", str(len(tab.messages))))
    return table(("explorer", "size", "opens in", "console messages"), rows)


def _inference(
    new_tab: Any, folder: Path, address: str, name: str, peers: bool, options: argparse.Namespace
) -> list[str]:
    case = CASES[name]
    model, own = _model(case), new_tab()
    write(model, folder / f"{name}.mjs")
    own.open(f"{address}/package.json" if peers else f"{address}/")
    own.run(LOAD_OWN, f"{address}/{name}.mjs")
    size, shape = math.prod(case.input_shape), list(case.input_shape)
    contestants: dict[str, Work] = {OWN: lambda count: own.run(RUN_OWN, [count, size])}
    if peers:
        write(model, folder / f"{name}.onnx")
        tab = _peer(new_tab, address, LOAD_ORT, f"{address}/{name}.onnx")
        contestants[ORT] = lambda count: tab.run(RUN_ORT, [count, [1, *shape]])
        if (layers := convnet_layers(model.network)) is not None:
            other = _peer(new_tab, address, LOAD_CONVNET, layers, {})
            contestants[CONVNET] = lambda count: other.run(RUN_CONVNET, [count, shape])
    speeds = alternate(contestants, 1, options.rounds, options.seconds)
    return _rows(f"{name}, one picture", "ms", speeds, lambda per_second: f"{1000 / per_second:.3f}")


def _training(new_tab: Any, folder: Path, address: str, peers: bool, options: argparse.Namespace) -> list[str]:
    case = CASES["lenet5"]
    x, y = samples(case, SAMPLES)
    data = Dataset(x, y, tuple("0123456789"), "random")
    page = live.page_of(Splits(data), "random", Offer({}, {"": case.network()}))
    path, own = write_atomically(folder / "learn.html", page.encode()), new_tab()
    own.open(path.as_uri(), "window.striate && striate.ready")
    torch.set_num_threads(1)
    native, setting = pytorch.faster(
        {name: pytorch.steps(case, x, y, BATCH, name) for name in pytorch.settings(case.input_shape)}
    )
    contestants: dict[str, Work] = {OWN: lambda count: own.run(TRAIN_OWN, count), f"{TORCH} ({setting})": native}
    if peers and (layers := convnet_layers(case.network())) is not None:
        settings = {"learning_rate": 0.001, "momentum": 0.9, "batch_size": BATCH}
        tab = _peer(new_tab, address, LOAD_CONVNET, layers, settings)
        contestants[CONVNET] = lambda count: tab.run(TRAIN_CONVNET, [BATCH * count, list(case.input_shape)])
    for work in contestants.values():
        work(WARM_UP)
    speeds = alternate(contestants, BATCH, options.rounds, options.seconds)
    return _rows(f"lenet5, training, batches of {BATCH}", "images/s", speeds, lambda rate: f"{rate:,.0f}")


def _peer(new_tab: Any, address: str, load: str, *arguments: Any) -> Tab:
    tab: Tab = new_tab()
    tab.open(f"{address}/package.json")
    tab.run(load, [f"{address}/node_modules", *arguments])
    return tab


def _rows(title: str, unit: str, speeds: Speeds, shown: Any) -> list[str]:
    rows = []
    for name in speeds.rounds:
        median, least, largest = speeds.ratio(OWN, name)
        ratio = "" if name == OWN else f"{median:.2f} ({least:.2f} to {largest:.2f})"
        rows.append((name, shown(speeds.median(name)), ratio))
    return table((title, unit, "striate is faster by"), rows)


def _model(case: Case) -> Model:
    network = case.network()
    return Model(network, initial_parameters(network), network.initial_states())


def convnet_layers(network: Network) -> list[dict[str, Any]] | None:
    """Return the layers of a network as ConvNetJS describes them; None if it has others."""
    channels, rows, columns = network.input_shape
    found: list[dict[str, Any]] = [{"type": "input", "out_sx": columns, "out_sy": rows, "out_depth": channels}]
    for step in network.steps[1:]:
        layer: Any = step.layer
        if isinstance(layer, Conv2d) and layer.stride == (1, 1):
            pad = (step.shape[1] - step.input_shapes[0][1] + layer.kernel_size[0] - 1) // 2
            sides = {"sx": layer.kernel_size[1], "sy": layer.kernel_size[0], "stride": 1, "pad": pad}
            found.append({"type": "conv", "filters": layer.out_channels, **sides})
        elif isinstance(layer, MaxPool2d):
            found.append({"type": "pool", "sx": layer.kernel_size[0], "stride": layer.stride[0]})
        elif isinstance(layer, Linear):
            found.append({"type": "fc", "num_neurons": layer.out_features})
        elif isinstance(layer, ReLU):
            found[-1]["activation"] = "relu"
        elif isinstance(layer, Softmax):
            found[-1] = {"type": "softmax", "num_classes": found[-1]["num_neurons"]}
        elif not isinstance(layer, Flatten):
            return None
    return found
