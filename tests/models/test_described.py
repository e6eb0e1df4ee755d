"""Networks described in TOML."""

from __future__ import annotations

import pytest

from striate.errors import ShapeError, UsageError
from striate.layers import Conv2d, Flatten, Linear, ReLU, Softmax
from striate.models.registry import build
from striate.network import Sequential

HEAD = '[[layers]]\ntype = "Flatten"\n[[layers]]\ntype = "Linear"\nout_features = "classes"\n'
SMALL = '[[layers]]\ntype = "Conv2d"\nout_channels = 4\nkernel_size = 3\n[[layers]]\ntype = "ReLU"\n' + HEAD


@pytest.fixture
def described(tmp_path):
    def write(text, *arguments, **options):
        path = tmp_path / "small.toml"
        path.write_text(text)
        return build(str(path), *arguments, **options)

    return write


def test_layers_follow_one_another(described):
    expected = Sequential([Conv2d(4, 3), ReLU(), Flatten(), Linear(7)], (1, 8, 8), "small")
    assert described(SMALL, 7, (1, 8, 8)).describe() == expected.describe()


def test_the_file_may_name_network_and_shape(described):
    network = described('name = "mine"\ninput_shape = [1, 8, 8]\n' + SMALL)
    assert (network.name, network.input_shape, network.output_shape) == ("mine", (1, 8, 8), (10,))


def test_other_graphs(described):
    text = (
        '[[layers]]\ntype = "Conv2d"\nout_channels = 2\nkernel_size = 1\nname = "a"\n'
        '[[layers]]\ntype = "Tanh"\ninputs = "a"\nname = "b"\n[[layers]]\ntype = "Add"\ninputs = ["a", "b"]\n'
    )
    network = described(text + HEAD + '[[layers]]\ntype = "Softmax"\n', 3, (1, 4, 4))
    assert network.step("add1").inputs == ("a", "b")
    assert isinstance(network.steps[-1].layer, Softmax)


def test_layers_without_a_name_are_known_by_kind_and_number(described):
    text = (
        SMALL.removesuffix(HEAD)
        + '[[layers]]\ntype = "Tanh"\ninputs = ["conv1"]\n'
        + '[[layers]]\ntype = "ReLU"\ninputs = ["conv1"]\nname = "relu2"\n'
        + '[[layers]]\ntype = "ReLU"\n[[layers]]\ntype = "Add"\ninputs = ["tanh1", "relu3", "relu1"]\n'
    )
    network = described(text + HEAD, 3, (1, 8, 8))
    assert network.step("add1").inputs == ("tanh1", "relu3", "relu1")
    assert network.step("relu3").inputs == ("relu2",)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", UsageError, r"small.toml: needs an input_shape, such as \[1, 28, 28\]"),
        ("input_shape = [1, 8, 8]", UsageError, r"needs layers, each under a line \[\[layers\]\]; got none"),
        ("input_shape = [1, 8, 8]\nlayers = [3]", UsageError, "needs layers"),
        ("input_shape = 'big'", UsageError, "line 1: input_shape: must be"),
        ("layer = 3", UsageError, "small.toml: unknown name 'layer'; did you mean 'layers'"),
        ('[[layers]]\nkind = "Conv2d"', UsageError, 'layer 1: needs a type, such as type = "Conv2d"; got kind'),
        ('[[layers]]\ntype = "Conv"', UsageError, "layer 1: type: unknown name 'Conv'; did you mean 'Conv"),
        (
            '[[layers]]\ntype = "Conv2d"\nchannels = 3',
            UsageError,
            r"layer 1 \(Conv2d\): argument: unknown name 'channels'; did you mean 'out_channels'.* Known: bias, ",
        ),
        (
            '[[layers]]\ntype = "Conv2d"\nout_channels = 3',
            UsageError,
            r"layer 1 \(Conv2d\): needs kernel_size. Add a line such as kernel_size = 3\.",
        ),
        (
            '[[layers]]\ntype = "Linear"\nout_features = "outputs"',
            UsageError,
            r"layer 1 \(Linear\): out_features: must be .*; got 'outputs'\. \"classes\" stands for",
        ),
        (
            '[[layers]]\ntype = "ReLU"\n[[layers]]\ntype = "Tanh"\ninputs = ["input"]',
            UsageError,
            "layer 1: every layer must lead to the last one; nothing reads relu1. Add it to the inputs of a later",
        ),
        ('[[layers]]\ntype = "Tanh"\nname = "ä b"', UsageError, "small.toml: layer: a name may have .*; got 'ä b'"),
        ("input_shape = [1, 8, 8]\nlayers = []", UsageError, "needs layers, .*; got none"),
        ('[[layers]]\ntype = "Conv2d"\nout_channels = 1\nkernel_size = 99', ShapeError, "kernel"),
        ('[[layers]]\ntype = "ReLU"\ninputs = ["x"]', UsageError, "layer 1: input: unknown name 'x'"),
        ('[[layers]]\ntype = "ReLU"\nname = 3', UsageError, "needs a name of its own, as text; got 3"),
        ('[[layers]]\ntype = "ReLU"\nname = "input"', UsageError, "needs a name of its own, as text; got 'input'"),
    ],
)
def test_files_that_cannot_mean_anything(described, text, error, message):
    shaped = text if not text or text.startswith(("input_shape", "layer ")) else f"input_shape = [1, 8, 8]\n{text}"
    with pytest.raises(error, match=message):
        described(shaped)


def test_what_else_does_not_fit(described):
    with pytest.raises(UsageError, match="a network from a file has no options; got width"):
        described(SMALL, 10, (1, 8, 8), width=3)
    with pytest.raises(ShapeError, match=r"input_shape must be that of the data, \[1, 9, 9\]; got \[1, 8, 8\]"):
        described("input_shape = [1, 8, 8]\n" + SMALL, 10, (1, 9, 9))
