"""The page: self-contained, small, and right in a real browser."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model
from striate.data.normalisation import Normalisation
from striate.errors import ShapeError, UsageError
from striate.explain import trace
from striate.layers import (
    ELU,
    GELU,
    SELU,
    Add,
    AvgPool2d,
    BatchNorm,
    ChannelScale,
    Concatenate,
    Conv1d,
    Conv2d,
    Conv3d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    Input,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    LogSoftmax,
    LpPool2d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    PReLU,
    ReLU,
    Scale,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Subsample2d,
    Tanh,
)
from striate.models import lenet5, lenet5_1998
from striate.network import Network, Sequential, chain
from striate.report import explain_page
from striate.report.explanation import page_data


def many_layers() -> Network:
    """Nearly every kind of layer for pictures, with branches."""
    x = Input((2, 12, 12))
    left = chain([Conv2d(4, 3, padding=1, padding_mode="reflect", groups=2), BatchNorm(), SiLU()], x)
    right = chain([Conv2d(4, 3, 1, "same", 2, bias=False), Scale(0.5, 0.1), PReLU(), ELU(0.7), Dropout()], x)
    table = Conv2d(3, (2, 3), stride=2, padding=1, connections=[[0, 1], [3], [0, 2, 4, 7]])
    joined = Concatenate()(Add()(left, right), right)
    functions = [SELU(), Softplus(2.0), GELU(), HardSigmoid(), HardTanh(-0.5, 0.9), HardSwish(), Identity()]
    body = chain([LocalResponseNorm(), table, LeakyReLU(0.2), ChannelScale(), *functions], joined)
    pools = [AvgPool2d(2, 1, padding=1, count_padding=False), LpPool2d(2, 1, power=3.0), Subsample2d(2, 2), Tanh()]
    head = [MaxPool2d(3, 1, padding=1), Flatten(), Linear(5), Sigmoid(), Linear(4, bias=False), LogSoftmax()]
    return Network(chain([*pools, *head], body), "many")


NETWORKS = {
    "lenet5": lenet5(10, (1, 16, 16)),
    "many layers": many_layers(),
    "signals": Sequential([Conv1d(3, 5, 2), ReLU(), MaxPool1d(2), Flatten(), Linear(3), Softmax()], (2, 30)),
    "volumes": Sequential(
        [Conv3d(2, 2, padding=1), Step(), MaxPool3d(2), GlobalAvgPool(), Linear(2)], (1, 4, 5, 6)
    ),
    "features": Sequential([Linear(7), ReLU(), Linear(3), Softmax()], 9),
}


def model_of(network: Network) -> Model:
    rng = np.random.default_rng(4)
    channels = network.input_shape[0]
    made = Normalisation((0.25,) * channels, (0.5,) * channels)
    states = np.abs(rng.normal(size=network.state_count)) + 0.2
    return Model(network, rng.normal(0, 0.4, network.parameter_count), states, normalisation=made)


def content(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1].replace("<\\/", "</"))


def test_page_of_lenet_is_small_and_fetches_nothing(random_lenet, picture):
    page = explain_page(random_lenet, picture)
    assert len(page.encode()) < 3_000_000
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)|@import|url\(|https?:|fetch\(|XMLHttp""", page)
    assert "default-src 'none'" in page
    assert "@@" not in page


def test_page_holds_scores_layers_and_maps(trained_lenet, digits):
    data = content(explain_page(trained_lenet, digits.inputs[0], name="a </script> digit", target="4"))
    assert data["sample"] == "a </script> digit"
    assert data["target"] == 4
    assert data["classes"] == list(trained_lenet.classes)
    assert [layer["name"] for layer in data["layers"]] == [step.name for step in trained_lenet.network.steps]
    assert len(data["attributions"]) == 6
    np.testing.assert_allclose(data["scores"], trace(trained_lenet, digits.inputs[0]).scores)
    assert not any(layer["rule"]["kind"] == "none" for layer in data["layers"])


def test_names_cannot_leave_the_page(random_lenet, picture):
    page = explain_page(random_lenet, picture, name="<img src=x> & </script><script>alert(1)</script>")
    assert "<img src=x" not in page.split('<script type="application/json"')[0]
    assert "</script><script>alert" not in page
    assert "<title>lenet5: &lt;img" in page


def test_weights_beyond_the_room_are_left_out():
    network = Sequential([Linear(1000), ReLU(), Linear(2)], 600)
    data = page_data(trace(Model(network, np.zeros(network.parameter_count)), np.ones(600)))
    assert data["layers"][1]["rule"]["formula"] == "the 601,000 weights of this layer are not part of the page"
    assert "weights" not in data["layers"][1]
    assert data["layers"][3]["rule"]["kind"] == "dense"
    assert data["layers"][3]["weights"]["begin"] == 601_000


def test_every_activation_of_lenet_1998_can_be_pointed_at():
    network = lenet5_1998()
    data = page_data(trace(Model(network, np.zeros(network.parameter_count)), np.zeros(network.input_shape)))
    rules = {layer["name"]: layer["rule"] for layer in data["layers"]}
    assert rules["scaled_tanh1"]["formula"] == "1.7159 * tanh(0.666667 * x)"
    assert not any(rule["kind"] == "none" for rule in rules.values())


def test_large_networks_are_held_in_single_precision():
    network = Sequential([Conv2d(20, 1), Flatten(), Linear(2, bias=False)], (1, 64, 64))
    data = page_data(trace(Model(network, np.zeros(network.parameter_count)), np.ones((1, 64, 64))))
    assert {layer["values"]["type"] for layer in data["layers"]} == {"f4"}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sample": np.zeros((3, 8, 8))}, ShapeError, "sample: lenet5 takes 1 x 8 x 8; got 3 x 8 x 8"),
        ({"target": "cat"}, UsageError, "class: must be a number from 0 to 9 or one of 0, 1"),
        ({"methods": ["magic"]}, UsageError, "attribution: unknown name 'magic'"),
    ],
)
def test_what_does_not_fit(trained_lenet, digits, arguments, error, message):
    with pytest.raises(error, match=message):
        explain_page(trained_lenet, **{"sample": digits.inputs[0], **arguments})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_model_that_diverged():
    model = Model(Sequential([Linear(2)], 3), np.full(8, np.inf))
    with pytest.raises(UsageError, match="network: outputs must be finite to be explained; got inf for sample"):
        explain_page(model, np.ones(3))


def test_hovering_shows_a_sum_that_is_right(window, trained_lenet, digits, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(explain_page(trained_lenet, digits.inputs[0]), encoding="utf-8")
    window.open(page)
    assert window.console() == []
    assert window.run("return performance.getEntriesByType('resource').length") == 0
    found = trace(trained_lenet, digits.inputs[0])
    for layer, channel in (("conv1", 2), ("pool1", 0), ("conv2", 11), ("relu2", 3)):
        window.hover(f'canvas[data-layer="{layer}"][data-channel="{channel}"]', 3, -9)
        shown = window.run("return {...document.getElementById('detail').dataset}")
        index = tuple(map(int, shown["index"].split(",")))
        assert (shown["layer"], index[0]) == (layer, channel)
        why = found.why_at(layer, index)
        assert math.isclose(float(shown["sum"]), why.value, rel_tol=1e-12, abs_tol=1e-12)
        assert float(shown["value"]) == why.value
    window.hover('canvas[data-layer="conv2"][data-channel="11"]', 3, -9)
    text = window.run("return document.getElementById('detail').innerText")
    assert "sum of 150 terms = " in text
    assert "bias = " in text
    assert "then relu2: max(x, 0) = " in text
    marked = window.run(
        "return [...document.querySelectorAll('#layer-pool1 i')].filter(i => i.style.display).length"
    )
    assert marked == 6
    assert window.console() == []


@pytest.mark.parametrize("name", NETWORKS)
def test_every_number_of_the_page_is_that_of_the_network(window, tmp_path, name):
    model = model_of(NETWORKS[name])
    sample = np.random.default_rng(8).normal(size=model.input_shape)
    page = tmp_path / "page.html"
    page.write_text(explain_page(model, sample), encoding="utf-8")
    window.open(page)
    assert window.console() == []
    found, rng = trace(model, sample), np.random.default_rng(9)
    cells = []
    for step in model.network.steps:
        for place in rng.integers(0, int(np.prod(step.shape)), 15):
            cells.append((step.name, [int(i) for i in np.unravel_index(place, step.shape)]))
    shown = window.run("return arguments[0].map(([name, index]) => striate.decompose(name, index))", cells)
    for (layer, index), one in zip(cells, shown, strict=True):
        value = float(found[layer][tuple(index)])
        assert one["value"] == value
        amount = max(abs(value), sum(abs(p or 0) for p in one.get("products", ())), 1e-9)
        assert abs(one["result"] - value) <= 1e-12 * amount, (layer, index)
    window.run(
        "for (const canvas of document.querySelectorAll('canvas[data-layer]')) { canvas.focus(); "
        "canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', cancelable: true})); }"
    )
    assert window.console() == []


def test_every_score_has_a_bar(window, trained_lenet, digits, tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text(explain_page(trained_lenet, digits.inputs[0]), "utf-8")
    window.open(path)
    widths = "[...document.querySelectorAll('#scores .score .bar')].map((bar) => bar.getBoundingClientRect().width)"
    bars = window.run(f"return {widths}")
    assert len(bars) == 10
    assert max(bars) > 50
    assert window.run("return document.querySelector('#scores .chosen') !== null")


def test_arrow_keys_move_the_cell(window, trained_lenet, digits, tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text(explain_page(trained_lenet, digits.inputs[1]), encoding="utf-8")
    window.open(page)
    window.run(
        "const canvas = document.querySelector('canvas[data-layer=conv1]'); canvas.focus();"
        "for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowUp', 'Home'])"
        "  canvas.dispatchEvent(new KeyboardEvent('keydown', {key, cancelable: true}));"
    )
    assert window.run("return document.getElementById('detail').dataset.index") == "0,1,1"


def test_the_first_number_of_a_regression_is_explained_unless_another_is_named():
    network = Sequential([Flatten(), Linear(2)], (1, 4, 4))
    theta = np.zeros(34, np.float32)
    theta[-1] = 70.0
    model = Model(network, theta, metadata={"targets": "numbers", "target_names": ["height", "weight"]})
    page = page_data(trace(model, np.ones((1, 4, 4))))
    assert (page["target"], page["shown"]) == (0, 0)
    page = page_data(trace(model, np.ones((1, 4, 4))), target=1)
    assert (page["target"], page["shown"], page["classes"]) == (1, 1, ["height", "weight"])


def test_probabilities_of_the_page_are_those_of_predictions():
    network = Sequential([Flatten(), Linear(1), Sigmoid()], (1, 4, 4))
    theta = np.zeros(17, np.float32)
    theta[-1] = np.log(9.0)
    metadata = {"loss_function": "binary_cross_entropy", "targets": "classes"}
    model = Model(network, theta, classes=("no", "yes"), metadata=metadata)
    page = page_data(trace(model, np.ones((1, 4, 4))))
    assert page["probabilities"] == pytest.approx([0.1, 0.9])
    assert (page["classes"], page["shown"]) == (["no", "yes"], 1)
