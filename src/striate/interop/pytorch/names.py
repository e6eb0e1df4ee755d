"""Names of weights as torchvision publishes them, for the networks of ``striate.models``."""

from __future__ import annotations

import re
from collections.abc import Callable

from striate.layers import AdaptiveAvgPool2d, Flatten
from striate.layers.shape import InputLayer
from striate.network import Network, Step

STATE = {"running_variance": "running_var"}
"""PyTorch's name of an array where it differs from ours."""
HEADS = {"alexnet": (1, 4, 6), "vgg": (0, 3, 6)}
"""Places of the linear layers in the classifiers of AlexNet and VGG."""


def torch_names(network: Network) -> dict[str, str]:
    """Return torchvision's name of every parameter and state, by our name.

    A network that torchvision does not have gets its own names, with dots between their parts.

    Examples
    --------
    >>> from striate.models import resnet18
    >>> torch_names(resnet18())["stage2/block1/shortcut/norm.running_variance"]
    'layer2.0.downsample.1.running_var'
    """
    rename = next((rule for stem, rule in RULES.items() if network.name.startswith(stem)), None)
    modules = _own(network) if rename is None else rename(network)
    names = {}
    for step in network.steps:
        for slot in (*step.parameters, *step.states):
            array = slot.spec.name
            names[slot.name] = f"{modules[step.name]}.{STATE.get(array, array)}"
    return names


def torch_shape(step: Step, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that torchvision gives an array: it excites with 1x1 convolutions."""
    excites = re.search(r"/fc[12]$", step.name) and len(shape) == 2
    return (*shape, 1, 1) if excites else shape


def _own(network: Network) -> dict[str, str]:
    return {step.name: step.name.replace("/", ".") for step in network.steps}


def _resnet(network: Network) -> dict[str, str]:
    found = {}
    for step in network.steps:
        name = re.sub(r"^stage(\d+)/block(\d+)/", lambda m: f"layer{m[1]}.{int(m[2]) - 1}.", step.name)
        name = re.sub(r"shortcut$", "downsample.0", name)
        name = re.sub(r"shortcut/norm$", "downsample.1", name)
        name = re.sub(r"conv(\d)/norm$", r"bn\1", name)
        found[step.name] = "fc" if name == "linear1" else name
    return found


BRANCHES = {
    "1x1": "branch1",
    "3x3_reduce": "branch2.0",
    "3x3": "branch2.1",
    "5x5_reduce": "branch3.0",
    "5x5": "branch3.1",
    "pool_projection": "branch4.1",
}
STEM = {"conv1": "conv1", "conv2_reduce": "conv2", "conv2": "conv3"}


def _googlenet(network: Network) -> dict[str, str]:
    found = {}
    for step in network.steps:
        base, last = (step.name[: -len("/norm")], "bn") if step.name.endswith("/norm") else (step.name, "conv")
        first, _, branch = base.partition("/")
        if branch in BRANCHES and first.startswith("inception"):
            name = f"{first}.{BRANCHES[branch]}.{last}"
        elif base in STEM:
            name = f"{STEM[base]}.{last}"
        elif first.startswith("auxiliary"):
            own = {"conv": f"conv.{last}", "linear": "fc1", "classifier": "fc2"}
            name = f"aux{first[-1]}.{own.get(branch, branch)}"
        else:
            name = "fc" if base == "linear1" else base
        found[step.name] = name
    return found


def _features(network: Network) -> dict[str, str]:
    """Count the layers of the features, as ``nn.Sequential`` does; those of the head have fixed places."""
    places = iter(HEADS["alexnet" if network.name == "alexnet" else "vgg"])
    found, number, head = {}, 0, False
    for step in network.steps:
        head = head or isinstance(step.layer, AdaptiveAvgPool2d | Flatten)
        if isinstance(step.layer, InputLayer) or head:
            found[step.name] = f"classifier.{next(places)}" if step.parameters else step.name
            continue
        found[step.name] = f"features.{number}"
        number += 1
    return found


RULES: dict[str, Callable[[Network], dict[str, str]]] = {
    "resnet": _resnet,
    "googlenet": _googlenet,
    "alexnet": _features,
    "vgg": _features,
}
"""By the beginning of the network's name; the other networks are named as torchvision names them."""
