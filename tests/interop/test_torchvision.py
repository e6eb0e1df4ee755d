"""Our networks and torchvision's of the same names: weights in, weights out, and the module we write.

It needs torchvision's Python files alone: operators that it cannot load where it was built for another PyTorch are
declared here; none of these networks calls them.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.interop.pytorch import load_weights
from striate.interop.writing import write
from striate.model import Model
from striate.models import MODELS

torch: Any = pytest.importorskip("torch")
safetensors_torch: Any = pytest.importorskip("safetensors.torch")
pytestmark = pytest.mark.slow
NETWORKS = {
    "alexnet": 224, "efficientnet_b0": 64, "googlenet": 64, "mobilenet_v2": 64, "mobilenet_v3_large": 64,
    "mobilenet_v3_small": 64, "resnet18": 64, "resnet34": 64, "resnet50": 64, "resnet101": 64, "resnet152": 64,
    "squeezenet1_0": 64, "squeezenet1_1": 64, "vgg11": 224, "vgg13": 224, "vgg16": 224, "vgg19": 224,
}  # fmt: skip
"""By name: the sides of a picture. AlexNet and VGG have no room for smaller ones in their dense layers."""
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "googlenet": ({"auxiliary": True}, {"aux_logits": True, "init_weights": False}),
}
TOLERANCE = 1e-4  # of the largest value


@pytest.fixture(scope="module")
def torchvision() -> Any:
    """Return torchvision, whatever PyTorch it was built for."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        pytest.skip("torchvision is not installed")
    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        text = Path(found.origin).with_name("_meta_registrations.py").read_text()
        for name in sorted(set(re.findall(r'(?:register_meta\("|torchvision::)(\w+)', text))):
            library.define(f"{name}(Tensor x) -> Tensor")
        import torchvision
    return torchvision


def logits(probabilities: np.ndarray) -> np.ndarray:
    """Return what softmax was taken of, but for a constant."""
    values = np.log(probabilities.astype(np.float64))
    return values - values.mean(axis=1, keepdims=True)


def with_statistics(network: Any) -> Any:
    """Give every normalisation statistics of its own, as training does; the weights are random already."""
    generator = torch.Generator().manual_seed(0)
    for name, array in network.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            array.copy_(torch.rand(array.shape, generator=generator) * 0.2 + 0.9 * name.endswith("var"))
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_and_weights_are_those_of_torchvision(torchvision: Any, name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    options, more = OPTIONS.get(name, ({}, {}))
    theirs = with_statistics(getattr(torchvision.models, name)(num_classes=10, **more))
    shape = (3, NETWORKS[name], NETWORKS[name])
    network = MODELS[name](10, shape, **options)
    match = load_weights(network, {key: value.numpy() for key, value in theirs.state_dict().items()})
    assert match.lines() == [f"{len(match.pairs)} of {len(match.pairs)} arrays found"]
    model = Model(network, match.theta, match.states)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    with torch.no_grad():
        wanted = theirs(torch.tensor(x)).numpy()
    wanted -= wanted.mean(axis=1, keepdims=True)
    assert wanted.std() > 1e-3
    assert np.abs(logits(model.outputs(x)) - wanted).max() <= TOLERANCE * np.abs(wanted).max()

    before = {key: value.clone() for key, value in theirs.state_dict().items() if "num_batches" not in key}
    (path,) = write(model, tmp_path / "weights.safetensors")
    back = safetensors_torch.load_file(path)
    assert not any(theirs.load_state_dict(back, strict=True))
    assert all(torch.equal(value, before[key]) for key, value in theirs.state_dict().items() if key in before)

    source, _ = write(model, tmp_path / "network.py")
    spec = importlib.util.spec_from_file_location("network", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.no_grad():
        found = logits(module.load()(torch.tensor(x)).numpy())
    assert np.abs(found - wanted).max() <= TOLERANCE * np.abs(wanted).max()
