"""Networks drawn: what is joined, where it lies, and what is connected to what."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from striate import Model, Sequential, layers
from striate.errors import UsageError
from striate.explain import draw_connections, draw_network
from striate.explain.diagram.connections import _path, _rows, _seen
from striate.explain.diagram.graph import HEIGHT, _layout
from striate.explain.diagram.parts import is_chain, parts_of
from striate.models.registry import build
from striate.receptive_field import receptive_fields


def words(axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "resnet18", "unet", "mobilenet_v3_small", "xor"])
@pytest.mark.parametrize("fold", [0, 1, None])
def test_parts_hold_every_step_once_and_come_after_what_they_read(name, fold):
    network = build(name)
    parts = parts_of(network, fold)
    assert sorted(step.name for part in parts for step in part.steps) == sorted(s.name for s in network.steps)
    assert sum(part.parameters for part in parts) == network.parameter_count
    before: set[str] = set()
    for part in parts:
        assert set(part.inputs) <= before
        before.add(part.name)


def test_activations_belong_to_the_layer_before_them():
    parts = parts_of(build("lenet5"))
    assert parts[1].lines == ("Conv2d 5 × 5, 6", "ReLU")
    assert [part.shape for part in parts[:3]] == [(1, 28, 28), (6, 28, 28), (6, 14, 14)]
    assert is_chain(parts)


def test_folding_joins_the_layers_of_a_block():
    parts = parts_of(build("googlenet"), 1)
    module = next(part for part in parts if part.name == "inception3a")
    assert (module.kind, module.inputs, module.shape) == ("group", ("pool2",), (256, 28, 28))
    assert is_chain(parts)


def test_boxes_of_a_graph_do_not_overlap_and_lines_go_down():
    parts = parts_of(build("googlenet"))
    places, routes = _layout(parts, {part.name: 2.0 for part in parts})
    for (x0, y0), (x1, y1) in itertools.combinations(places.values(), 2):
        assert abs(x0 - x1) >= 2.0 or abs(y0 - y1) >= HEIGHT
    assert len(routes) == sum(len(part.inputs) for part in parts)
    for route in routes:
        assert all(a[1] <= b[1] for a, b in itertools.pairwise(route))


def test_the_style_follows_from_the_network():
    assert "28 × 28" in words(draw_network(build("lenet5")))
    assert "Add" in words(draw_network(build("resnet18")))
    assert words(draw_network(build("xor"))).count("0") == 3  # the first unit of each of three layers


def test_units_show_the_weights_of_a_model():
    network = Sequential([layers.Linear(2, bias=False)], 2)
    axes = draw_network(Model(network, np.array([1.0, -0.5, 0.0, 2.0])))
    lines = axes.collections[0]
    ends = np.array(lines.get_segments())[:, :, 1].round(2).tolist()
    widths = dict(zip(map(str, ends), lines.get_linewidths(), strict=True))
    assert widths["[-0.21, -0.21]"] == max(widths.values()) == pytest.approx(2.3)  # from the second to the second
    assert len(set(map(tuple, lines.get_colors().tolist()))) == 2


def test_units_are_for_fully_connected_layers():
    with pytest.raises(UsageError, match=r"fully connected layers; got Conv2d 5 × 5, 6 \(conv1\)"):
        draw_network(build("lenet5"), "units")


def test_connections_begin_at_the_highest_layer_that_fits():
    labels = [text.get_text() for text in draw_connections(build("signal_cnn")).get_yticklabels()]
    assert any("conv1" in label for label in labels)
    assert not any("pool2" in label for label in labels)


def test_connections_agree_with_the_receptive_field():
    for name, top in (("lenet5", "pool2"), ("resnet18", "stage2/block1/conv1")):
        network = build(name)
        rows = _rows(network, _path(network, network.step(top)))
        field = receptive_fields(network)[top][-1]
        for unit in (0, rows[-1].count // 2, rows[-1].count - 1):
            seen = _seen(rows, unit)[0]
            assert (min(seen), max(seen)) == field.span(unit)


def test_a_kernel_shares_its_weights_and_a_dense_layer_does_not():
    network = Sequential([layers.Conv1d(1, 3), layers.Flatten(), layers.Linear(2)], (1, 6))
    rows = _rows(network, _path(network, network.steps[-1]))
    assert [len(row.edges) for row in rows] == [0, 4 * 3, 2 * 4]
    assert {tap for _, _, tap in rows[1].edges} == {0, 1, 2}
    assert "sees 6 of 6" in draw_connections(network, "linear1").get_title()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: draw_network(build("resnet18"), "boxes"), "boxes needs layers one after the other; got branches"),
        (lambda: draw_network(build("lenet5"), "circles"), "style"),
        (lambda: draw_network(build("lenet5"), fold=-1), "fold"),
        (lambda: draw_connections(build("lenet5"), "conv9"), "unknown name 'conv9'"),
        (lambda: draw_connections(build("lenet5"), "conv2", 10), "position"),
        (lambda: draw_connections(build("signal_cnn"), "pool2"), "at most 80 positions"),
        (lambda: draw_connections(Sequential([layers.Conv1d(1, 90)], (1, 99))), "at most 80 positions"),
    ],
)
def test_what_cannot_be_drawn(call, said):
    with pytest.raises(UsageError, match=said):
        call()
