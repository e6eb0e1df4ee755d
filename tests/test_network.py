"""Networks: order, names, places in the flat vector, descriptions and refusals."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError, ShapeError, UsageError
from striate.layers import Conv2d, Flatten, Input, Linear, MaxPool2d, ReLU, Softmax
from striate.models.registry import build
from striate.network import Network, Sequential
from striate.network_description import from_description, without_last


def small() -> Network:
    return Sequential([Conv2d(2, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(4)], (1, 8, 8), "small")


def test_parameters_lie_one_after_the_other() -> None:
    network = small()
    assert [(slot.name, slot.offset) for slot in network.parameters] == [
        ("conv1.weight", 0),
        ("conv1.bias", 18),
        ("linear1.weight", 20),
        ("linear1.bias", 92),
    ]
    assert network.parameter_count == 96
    theta = np.arange(96.0)
    views = network.views(theta)
    views["linear1.bias"][...] = -1
    assert theta[-4:].tolist() == [-1] * 4
    assert views["conv1.weight"].shape == (2, 1, 3, 3)


def test_names_are_numbered_by_kind_and_given_names_are_kept() -> None:
    network = Sequential([Linear(3), ReLU(), Linear(3, name="linear2"), Linear(3)], 4)
    assert [step.name for step in network.steps] == ["input", "linear1", "relu1", "linear2", "linear3"]
    assert network.step("linear3").inputs == ("linear2",)
    assert network.input_shape == (4,)
    assert network.output_shape == (3,)


def test_branches_are_ordered_and_survive_json() -> None:
    x = Input((1, 6, 6))
    left, right = Conv2d(2, 3)(x), Conv2d(2, 3)(x)
    network = Network(Linear(2)(Flatten()(right)), "two", auxiliary=[Flatten(name="side")(left)])
    assert network.auxiliary == ("side",)
    assert network.steps[-1].name == "linear1"
    position = {step.name: index for index, step in enumerate(network.steps)}
    assert all(position[source] < position[step.name] for step in network.steps for source in step.inputs)
    again = from_description(json.loads(json.dumps(network.describe())))
    assert again.describe() == network.describe()
    assert again.parameters == network.parameters
    assert again.auxiliary == network.auxiliary


def test_deep_networks_do_not_overflow_the_stack() -> None:
    assert len(Sequential([ReLU()] * 5000, 3).steps) == 5001


def test_repr_lists_the_layers() -> None:
    assert repr(small()).splitlines()[:3] == [
        "Network 'small', 96 parameters",
        "  input: InputLayer((1, 8, 8), name='input')",
        "  conv1: Conv2d(2, 3)",
    ]


def test_one_layer_needs_no_list() -> None:
    assert Sequential(Linear(2), 3).parameter_count == 8  # type: ignore[arg-type]


def test_unknown_step_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="small: layer: unknown name 'conv'; did you mean 'conv1'"):
        small().step("conv")


WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: Network(Input(3)), ShapeError, "network: a network has at least one layer; got only its input"),
    (lambda: Sequential([], 3), ShapeError, "network: a network has at least one layer; got only its input"),
    (
        lambda: Sequential([ReLU], 3),
        UsageError,
        r"network: a network consists of layers; got ReLU. Write ReLU\(...\)",
    ),
    (lambda: Sequential([ReLU(), 3], 3), UsageError, r"network: a network consists of layers; got 3. Give layers"),
    (lambda: Network(Linear(3)), UsageError, "network: a network ends in a node; got Linear"),  # type: ignore[arg-type]
    (
        lambda: Network(ReLU()(Input(3)), auxiliary=[ReLU()(Input(3, name="b"))]),
        ShapeError,
        "network: a network has one input; got 2. Start every branch from the same input",
    ),
    (
        lambda: Sequential([Linear(3, name="a"), ReLU(name="a")], 3),
        UsageError,
        "a: names must be unique; 2 layers have this one. Rename all but one",
    ),
    (lambda: Sequential([ReLU(name="a.b")], 3), UsageError, "layer: a name may have letters, digits.* got 'a.b'"),
    (
        lambda: Sequential([Conv2d(2, 3), MaxPool2d(2), Conv2d(3, 5)], (1, 8, 8)),
        ShapeError,
        "conv2: a 5x5 kernel needs an input of at least 5x5; got 2 x 3 x 3 from pool1",
    ),
]


@pytest.mark.parametrize(("build", "error", "message"), WRONG)
def test_impossible_networks_are_refused(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_an_output_that_another_output_needs_is_refused() -> None:
    middle = ReLU()(Input(3))
    with pytest.raises(ShapeError, match="the output is the end of the network; got one that an auxiliary"):
        Network(middle, auxiliary=[Linear(2)(middle)])


def changed(**layer: Any) -> dict[str, Any]:
    description = copy.deepcopy(small().describe())
    description["layers"][2].update(layer)
    return description


def extended(layer: dict[str, Any]) -> dict[str, Any]:
    description = copy.deepcopy(small().describe())
    description["layers"].insert(3, layer)
    return description


DAMAGED: list[tuple[Any, str]] = [
    ({}, "description: is not a network of striate; KeyError"),
    ({"layers": []}, "description: is not a network of striate; IndexError"),
    ({"layers": [3]}, "description: is not a network of striate; TypeError"),
    ({"layers": [{"name": "a"}]}, "description: is not a network of striate; KeyError"),
    (None, "description: is not a network of striate; TypeError"),
    (
        changed(inputs=["linear1"]),
        "relu1: a layer must come after its inputs; got 'linear1'",
    ),
    (changed(inputs=["relu1"]), "relu1: a layer must come after its inputs; got 'relu1'"),
    (
        changed(inputs=["nobody"]),
        "relu1: a layer must come after its inputs; got 'nobody', which does not come before it",
    ),
    (changed(name="conv1"), "conv1: names must be unique; the description uses this one twice"),
    (changed(inputs=["input"]), "description: every layer must lead to the output; got conv1 unused"),
    (changed(type="Linear", out_features=3), "linear1|relu1: needs one row of features"),
    (
        extended({"name": "b", "type": "InputLayer", "shape": [3], "inputs": []}),
        "every layer must lead to the output; got b",
    ),
    (extended({"name": 3, "type": "ReLU", "inputs": ["conv1"]}), "3: the name of a layer is text; got int"),
    ({**small().describe(), "auxiliary": ["nobody"]}, "description: is not a network of striate; KeyError"),
]


@pytest.mark.parametrize(("description", "message"), DAMAGED)
def test_damaged_descriptions_are_refused(description: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        from_description(description)


def test_without_its_last_layer_a_network_keeps_the_places_of_its_parameters() -> None:
    for network in (
        Sequential([Linear(5), ReLU(), Linear(3), Softmax()], 4),
        build("googlenet", 10, (3, 224, 224)),
    ):
        shorter = without_last(network)
        assert shorter.steps[-1].name == network.steps[-1].inputs[0]
        assert [(s.name, s.offset) for s in shorter.parameters] == [(s.name, s.offset) for s in network.parameters]
        assert [(s.name, s.offset) for s in shorter.states] == [(s.name, s.offset) for s in network.states]
