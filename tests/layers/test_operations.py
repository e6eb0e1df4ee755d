"""Shape rules, parameters and refusals of every layer beyond the first path."""

from __future__ import annotations

from typing import Any

import pytest

from striate.errors import ShapeError, UsageError
from striate.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    AdaptiveAvgPool2d,
    Add,
    BatchNorm,
    ChannelScale,
    Concatenate,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Crop,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAvgPool,
    GridSample2d,
    GroupNorm,
    HardTanh,
    Identity,
    Input,
    InstanceNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    LpPool2d,
    MaxGather1d,
    MaxPool1d,
    MaxPool2d,
    MaxUnpool1d,
    MaxUnpool2d,
    Multiply,
    Pad,
    PReLU,
    RadialBasis,
    Reshape,
    Softplus,
    SpatialDropout,
    Step,
    Subsample2d,
    Upsample,
)  # fmt: skip
from striate.network import Network
from striate.receptive_field import receptive_fields


def total(layer: Layer, *shapes: tuple[int, ...]) -> int:
    return sum(spec.size for spec in layer.parameters(*shapes))


def test_parameter_counts() -> None:
    table = [[0, 1, 2], [1, 2, 3], [0, 3]]
    assert total(Conv2d(3, 5, connections=table), (4, 9, 9)) == 8 * 25 + 3
    assert total(Conv2d(6, 3, groups=3, bias=False), (6, 9, 9)) == 6 * 2 * 9
    assert total(ConvTranspose2d(8, 3, groups=2), (4, 9, 9)) == 4 * 4 * 9 + 8
    assert total(Subsample2d(2), (6, 28, 28)) == 12
    assert total(BatchNorm(), (64, 7, 7)) == 128
    assert total(BatchNorm(affine=False), (64, 7, 7)) == 0
    assert total(LayerNorm(), (3, 4, 5)) == 120
    assert total(LayerNorm("channels"), (3, 4, 5)) == 6
    assert total(GroupNorm(2), (4, 5)) == 8
    assert total(PReLU(), (7, 3, 3)) == 7
    assert total(PReLU(shared=True), (7, 3, 3)) == 1
    assert total(ChannelScale(), (7, 3)) == 14
    assert total(Embedding(100, 8), (20,)) == 800
    assert total(LSTM(64), (32, 10)) == 4 * 64 * (32 + 64 + 1)
    assert total(GRU(64), (32, 10)) == 3 * 64 * (32 + 64 + 1) + 64
    assert total(GRU(64, reset_after=False, bias=False), (32, 10)) == 3 * 64 * (32 + 64)
    assert total(RNN(64), (32, 10)) == 64 * (32 + 64 + 1)
    assert total(RadialBasis(10), (84,)) == 840
    assert total(RadialBasis(1, ["##.."]), (4,)) == 0


def test_multiply_adds() -> None:
    assert Conv2d(3, 5, connections=[[0], [1], [0, 1]]).multiply_adds((2, 9, 9)) == 25 * 4 * 25
    assert ConvTranspose2d(8, 3, stride=2).multiply_adds((4, 5, 5)) == 25 * 4 * 8 * 9
    assert RadialBasis(10).multiply_adds((84,)) == 840
    assert Subsample2d(2).multiply_adds((6, 28, 28)) == 6 * 14 * 14
    assert ChannelScale().multiply_adds((6, 4)) == 24


def test_initial_values_of_what_is_not_drawn() -> None:
    weight, bias = Subsample2d(2).parameters((6, 4, 4))
    assert (weight.initial, bias.initial) == (0.25, "zeros")
    assert [spec.initial for spec in BatchNorm().states((3,))] == ["zeros", "ones"]
    assert PReLU(initial=0.1).parameters((3,))[0].initial == 0.1


def test_unpooling_copies_the_arguments_of_its_pooling() -> None:
    pool = MaxPool2d(3, stride=2, padding=1, name="pool")
    layer = MaxUnpool2d.of(pool, name="back")
    assert layer == MaxUnpool2d(3, stride=2, padding=1, name="back")
    assert layer.pool() == MaxPool2d(3, stride=2, padding=1)


def field(node: Any) -> tuple[int, int]:
    network = Network(node)
    axis = receptive_fields(network)[network.steps[-1].name][-1]
    return axis.size, axis.positions


def test_receptive_fields_of_the_other_layers() -> None:
    x = Input((1, 12))
    assert field(Crop(2)(Conv1d(1, 3)(x))) == (3, 6)
    assert field(Upsample(2)(MaxPool1d(2)(x))) == (2, 12)
    assert field(Upsample(2, "bilinear")(MaxPool1d(2)(x))) == (4, 12)
    assert field(ConvTranspose1d(1, 4, stride=2)(x)) == (2, 26)
    assert field(Add()(Conv1d(1, 5, padding="same")(x), Conv1d(1, 3, padding="same")(x))) == (5, 12)
    assert field(Conv1d(1, 3)(Reshape((1, 12))(Conv1d(1, 1)(x))))[0] == 12
    assert field(GlobalAvgPool()(Conv1d(1, 3)(x))) == (12, 1)
    assert field(InstanceNorm()(x))[0] == 12


V = Any
WRONG: list[tuple[V, type[Exception], str]] = [
    (lambda: Conv1d(2, 5, padding=3, padding_mode="reflect")(Input((1, 3))), ShapeError,
     r'conv1: reflect padding must be at most 2 on a side of 3; got 1 x 3 from input and a padding of 3'),
    (lambda: Conv1d(2, 5, padding=4, padding_mode="circular")(Input((1, 3))), ShapeError,
     "conv1: circular padding must be at most 3 on a side of 3; got 1 x 3 from input"),
    (lambda: Conv1d(2, 5, padding_mode="mirror"), UsageError, "padding_mode: unknown name 'mirror'"),
    (lambda: Conv2d(2, 3, connections=[[0]]), UsageError,
     "connections: needs one sequence of input channels for each of 2 filters"),
    (lambda: Conv2d(1, 3, connections=[[]]), UsageError, "connections: needs one sequence of input channels"),
    (lambda: Conv2d(1, 3, connections=[[1, 0]]), UsageError, "connections: a filter must name each channel once"),
    (lambda: Conv2d(1, 3, connections=[[0, 0]]), UsageError, "connections: a filter must name each channel once"),
    (lambda: Conv2d(1, 3, connections=[[-1]]), UsageError, "connections: must be at least 0; got -1"),
    (lambda: Conv2d(2, 3, groups=2, connections=[[0], [1]]), UsageError, "cannot be combined with groups; got"),
    (lambda: Conv2d(1, 3, connections=[[0, 4]])(Input((2, 5, 5))), ShapeError,
     "conv1: connections must name channels 0 to 1; got 2 x 5 x 5 from input and a connection to channel 4"),
    (lambda: ConvTranspose2d(1, 2, stride=3, padding="same"), UsageError,
     'padding: "same" needs a kernel of at least the stride; got 2 and stride 3. Use kernel_size=3, or output_p'),
    (lambda: ConvTranspose2d(1, 2, stride=2, output_padding=2), UsageError,
     r"output_padding: must be below the larger of stride and dilation \(2\); got 2"),
    (lambda: ConvTranspose2d(1, 2, padding=2)(Input((1, 2, 2))), ShapeError,
     "conv_transpose1: padding must leave something of the output; got 1 x 2 x 2 from input"),
    (lambda: ConvTranspose2d(3, 2, groups=3)(Input((2, 4, 4))), ShapeError,
     r"conv_transpose1: 3 groups must divide the channels in and out \(2 and 3\); got 2 x 4 x 4 from input"),
    (lambda: LpPool2d(2, power=0.5), UsageError, "power: must be at least 1; got 0.5"),
    (lambda: MaxUnpool2d.of(MaxPool1d(2)), UsageError, r"MaxUnpool2d: needs a MaxPool2d; got MaxPool1d\(2\)"),
    (lambda: MaxUnpool1d(2)(Input((1, 4), name="a"), Input((1, 10), name="b")), ShapeError,
     "unpool1: the first input must have the shape that pooling gives the second, 1 x 5; "
     "got 1 x 4 from a and 1 x 10 from b. Call it with"),
    (lambda: MaxGather1d(2)(Input((1, 4), name="a"), Input((1, 10), name="b")), ShapeError,
     "max_gather1: both inputs must have the same shape; got 1 x 4 from a and 1 x 10 from b. Call it with"),
    (lambda: LSTM(4)(Input(5)), ShapeError, r"lstm1: needs a series of shape \(channels, length\); got 5 from"),
    (lambda: LSTM(0), UsageError, "features: must be at least 1; got 0"),
    (lambda: RNN(4, activation="sigmoid"), UsageError, "activation: unknown name 'sigmoid'"),
    (lambda: GRU(4, reverse=1), UsageError, "reverse: must be True or False; got 1"),
    (lambda: GRU(4, reset_after="no"), UsageError, "reset_after: must be True or False; got 'no'"),
    (lambda: GridSample2d("bilinear"), UsageError, "mode: must be one of linear, nearest, cubic; got 'bilinear'"),
    (lambda: GridSample2d(padding="wrap"), UsageError, "padding: must be one of zeros, border, refl.*; got 'wrap'"),
    (lambda: GridSample2d(align_corners=1), UsageError, "align_corners: must be true or false; got 1"),
    (lambda: GridSample2d()(Input((1, 4, 4), name="a"), Input((4, 4, 3), name="b")), ShapeError,
     r"grid_sample1: needs an image \(C, rows, columns\) and a grid \(rows, columns, 2\); got 1 x 4 x 4 from a"),
    (lambda: GlobalAvgPool()(Input(3)), ShapeError, "global_pool1: needs an input with space; got 3 from input"),
    (lambda: AdaptiveAvgPool2d(0), UsageError, "output_size: must be at least 1; got 0"),
    (lambda: GroupNorm(3)(Input((4, 2))), ShapeError, "norm1: 3 groups must divide the channels; got 4 x 2"),
    (lambda: InstanceNorm()(Input(4)), ShapeError, "norm1: needs an input with space; got 4 from input"),
    (lambda: BatchNorm(epsilon=0), UsageError, "epsilon: must be above 0; got 0"),
    (lambda: BatchNorm(momentum=2), UsageError, "momentum: must be at most 1; got 2"),
    (lambda: LayerNorm("rows"), UsageError, "over: unknown name 'rows'"),
    (lambda: LocalResponseNorm(size=0), UsageError, "size: must be at least 1; got 0"),
    (lambda: LeakyReLU("a"), UsageError, "slope: must be a number; got 'a'"),
    (lambda: ELU(float("inf")), UsageError, "alpha: must be finite; got inf"),
    (lambda: Pad(1, value=1e300), UsageError, "value: must be at most 3.4e.38, which float32 can hold; got 1e.300"),
    (lambda: Conv2d(True, 3), UsageError, "out_channels: must be a whole number; got True"),
    (lambda: GELU("erf"), UsageError, "approximate: unknown name 'erf'"),
    (lambda: Softplus(0), UsageError, "beta: must be above 0; got 0"),
    (lambda: HardTanh(1, -1), UsageError, "low: must be below high; got 1 and -1"),
    (lambda: Step(straight_through=1), UsageError, "straight_through: must be True or False; got 1"),
    (lambda: Dropout(1.0), UsageError, "rate: must be at least 0 and below 1; got 1"),
    (lambda: SpatialDropout(-0.1), UsageError, "rate: must be at least 0 and below 1; got -0.1"),
    (lambda: GaussianNoise(-1), UsageError, "deviation: must be at least 0; got -1"),
    (lambda: Pad(((1, 2),))(Input((1, 4, 4))), ShapeError,
     "pad1: padding for 1 axes needs an input with as many axes of space; got 1 x 4 x 4 from input"),
    (lambda: Pad(1)(Input(4)), ShapeError, "pad1: padding needs an input with space; got 4 from input"),
    (lambda: Pad("same"), UsageError, "padding: must be a number, or one item for each axis; got 'same'"),
    (lambda: Pad(-1), UsageError, "padding: must be at least 0; got -1"),
    (lambda: Crop(2)(Input((1, 4, 9))), ShapeError, "crop1: cropping must leave something; got 1 x 4 x 9"),
    (lambda: Reshape((3, -1))(Input(10)), ShapeError,
     r"reshape1: 3 x -1 must hold as many values as the input \(10\); got 10 from input"),
    (lambda: Reshape((-1, -1)), UsageError, r"shape: needs 1 to 4 axes, one of them at most -1; got \(-1, -1\)"),
    (lambda: Upsample(0), UsageError, "scale_factor: must be at least 1; got 0"),
    (lambda: Upsample(2, "cubic"), UsageError, "mode: unknown name 'cubic'"),
    (lambda: Upsample((2, 2))(Input((1, 4))), ShapeError, "upsample1: scale_factor must be one number"),
    (lambda: Add()(Input((2, 4), name="a"), Input((3, 4), name="b")), ShapeError,
     "add1: inputs must have the same shape, or 1 on axes that are broadcast; got 2 x 4 from a and 3 x 4 from b"),
    (lambda: Multiply()(Input((2, 4), name="a"), Input((2, 3), name="b")), ShapeError,
     "multiply1: inputs must have the same shape"),
    (lambda: Concatenate()(Input((2, 4), name="a"), Input((2, 3), name="b")), ShapeError,
     "concat1: inputs must have the same space; got 2 x 4 from a and 2 x 3 from b"),
    (Add(), ShapeError, "add1: takes 1 or more inputs; got 0"),
    (lambda: Embedding(5, 2)(Input((2, 3))), ShapeError, "embedding1: needs one row of symbols; got 2 x 3"),
    (lambda: RadialBasis(2, ["#", "##"]), UsageError, 'centres: needs 2 texts of "#" and ".", equally long'),
    (lambda: RadialBasis(1, ["#."])(Input(3)), ShapeError, "rbf1: needs 2 features; got 3 from input"),
    (lambda: Flatten()(Identity()(3)), UsageError, "identity: a layer is applied to nodes; got int"),
    (lambda: Linear(2)(Conv1d(2, 3)(Input((1, 9)))), ShapeError, "linear1: needs one row of features .* got 2 x 7"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "error", "message"), WRONG)
def test_impossible_combinations_are_refused(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
