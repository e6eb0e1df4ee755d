"""Networks of papers: their published sizes, the images they take, and what is particular to each."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from striate import reference
from striate.errors import ShapeError, UsageError
from striate.layers import AvgPool2d, Dropout, Softmax
from striate.models import MODELS, alexnet, build, googlenet, lenet5_1998, perceptron, resnet18, vgg16, xor
from striate.models.bitmaps import digit_bitmaps
from striate.models.digit_recogniser import digit_recogniser
from striate.models.lenet_1998 import CONNECTIONS
from striate.models.voxnet import voxnet
from striate.network import Network
from striate.network_description import from_description
from striate.summary import summarize

PARAMETERS = [
    ("alexnet", {}, 61_100_840),
    ("alexnet", {"grouped": True}, 60_965_224),
    ("vgg11", {}, 132_863_336),
    ("vgg13", {}, 133_047_848),
    ("vgg16", {}, 138_357_544),
    ("vgg16", {"batch_norm": True}, 138_365_992),
    ("vgg19", {}, 143_667_240),
    ("googlenet", {}, 6_624_904),
    ("googlenet", {"auxiliary": True}, 13_004_888),
    ("googlenet", {"batch_norm": False}, 6_998_552),
    ("googlenet", {"batch_norm": False, "auxiliary": True}, 13_378_280),
    ("resnet18", {}, 11_689_512),
    ("resnet34", {}, 21_797_672),
    ("resnet50", {}, 25_557_032),
    ("resnet101", {}, 44_549_160),
    ("resnet152", {}, 60_192_808),
    ("squeezenet1_0", {}, 1_248_424),
    ("squeezenet1_1", {}, 1_235_496),
    ("mobilenet_v2", {}, 3_504_872),
    ("mobilenet_v3_small", {}, 2_542_856),
    ("mobilenet_v3_large", {}, 5_483_032),
    ("efficientnet_b0", {}, 5_288_548),
]


@pytest.mark.parametrize(("name", "options", "count"), PARAMETERS)
def test_parameters_are_those_published(name: str, options: dict[str, bool], count: int) -> None:
    assert build(name, 1000, (3, 224, 224), **options).parameter_count == count


def test_smaller_networks_have_the_published_parameters() -> None:
    assert voxnet(40).parameter_count == 921_736
    assert lenet5_1998().parameter_count == 60_000
    assert lenet5_1998(output="softmax").parameter_count == 60_850
    assert build("small_vgg", 10, (3, 32, 32)).parameter_count == 1_116_970
    assert xor().parameter_count == 9
    assert perceptron(10, 784).parameter_count == 7850


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("alexnet", 714_188_480),
        ("vgg16", 15_470_264_320),
        ("resnet18", 1_814_073_344),
        ("resnet50", 4_089_184_256),
        ("googlenet", 1_498_376_192),
    ],
)
def test_multiply_adds_are_those_published(name: str, count: int) -> None:
    assert summarize(build(name, 1000, (3, 224, 224))).multiply_adds == count


def test_lenet_of_1998_layer_by_layer() -> None:
    network = lenet5_1998()
    counts = {name: sum(slot.spec.size for slot in network.step(name).parameters) for name in LAYERS_1998}
    assert counts == LAYERS_1998
    assert sum(map(len, CONNECTIONS)) == 60
    assert [network.step(name).shape for name in ("c1", "s2", "c3", "s4", "c5")] == [
        (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1),
    ]  # fmt: skip
    assert network.step("c3").layer.connections == CONNECTIONS  # type: ignore[attr-defined]
    every = [sum(channel in row for row in CONNECTIONS) for channel in range(6)]
    assert every == [10] * 6


LAYERS_1998 = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0}


def test_pictures_of_digits_differ_and_are_recognised() -> None:
    pictures = digit_bitmaps()
    dots = np.array([[1.0 if mark == "#" else -1.0 for mark in picture] for picture in pictures])
    distances = ((dots[:, None] - dots[None]) ** 2).sum(axis=2)
    assert (distances + 1000 * np.eye(10)).min() >= 4 * 4
    network = lenet5_1998()
    layer = network.step("output").layer
    out = reference.operation(layer).forward(layer, {}, dots, context=reference.Context())
    assert np.array_equal(out, distances)


def test_auxiliary_heads_come_before_the_output_and_survive_the_description() -> None:
    network = googlenet(5, (3, 64, 64), auxiliary=True)
    assert network.auxiliary == ("auxiliary1", "auxiliary2")
    assert all(isinstance(network.step(name).layer, Softmax) for name in network.auxiliary)
    assert network.step("auxiliary1").shape == network.output_shape == (5,)
    assert from_description(network.describe()).describe() == network.describe()
    assert not googlenet(5, (3, 64, 64)).auxiliary


def test_maps_of_googlenet_have_the_sizes_of_table_1() -> None:
    network = googlenet(batch_norm=False)
    sizes = {"conv1": (64, 112, 112), "pool1": (64, 56, 56), "pool2": (192, 28, 28), "inception3b": (480, 28, 28)}
    sizes |= {"inception4a": (512, 14, 14), "inception4e": (832, 14, 14), "inception5b": (1024, 7, 7)}
    assert {name: network.step(name).shape for name in sizes} == sizes


def test_classifiers_of_imagenet_need_no_adapting_at_their_own_size() -> None:
    kinds = {step.layer.kind for network in (alexnet(), vgg16()) for step in network.steps}
    assert "adaptive_pool" not in kinds
    assert alexnet(10, (3, 64, 64)).step("adaptive_pool1").shape == (256, 6, 6)


def test_dropout_is_an_option() -> None:
    def rates(network: Network) -> list[float]:
        return [step.layer.rate for step in network.steps if isinstance(step.layer, Dropout)]

    assert rates(digit_recogniser()) == []
    assert rates(digit_recogniser(dropout=True)) == [0.25, 0.25, 0.5]
    assert rates(voxnet()) == [0.2, 0.3, 0.4]
    assert rates(voxnet(dropout=False)) == []
    assert rates(alexnet()) == [0.5, 0.5]
    assert rates(vgg16(dropout=0)) == []


def test_dropout_stands_where_the_papers_have_it() -> None:
    for network in (vgg16(), alexnet(grouped=True)):  # on the outputs of the two wide layers
        places = [place for place, step in enumerate(network.steps) if isinstance(step.layer, Dropout)]
        wide = [network.steps[place - 2] for place in places]
        assert [(step.name, step.shape) for step in wide] == [("linear1", (4096,)), ("linear2", (4096,))]


def test_auxiliary_heads_average_5x5_with_stride_3() -> None:
    pool = googlenet(auxiliary=True).step("auxiliary1/pool")
    assert (pool.layer, pool.shape) == (AvgPool2d(5, stride=3, name="auxiliary1/pool"), (512, 4, 4))


def test_resnet_has_a_stem_for_small_images() -> None:
    assert resnet18(10, (3, 8, 8), stem="cifar").step("stage4/block2/relu").shape == (512, 1, 1)
    assert resnet18(10, (3, 64, 64)).step("stage1/block1/relu").shape == (64, 16, 16)


@pytest.mark.parametrize("name", ["vgg19", "resnet50", "googlenet"])
def test_a_description_holds_no_weights(name: str) -> None:
    MODELS[name]()
    tracemalloc.start()
    network = MODELS[name]()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < network.parameter_count * 4


SMALL = [
    ("xor", 2, (2,), {}),
    ("perceptron", 3, (4,), {}),
    ("lenet5", 10, (1, 8, 8), {"activation": "tanh", "pooling": "average"}),
    ("lenet5_1998", 10, (1, 28, 28), {}),
    ("lenet5_1998", 4, (1, 32, 32), {}),
    ("digit_recogniser", 10, (1, 8, 8), {"dropout": True}),
    ("photo_cnn", 4, (3, 8, 8), {"width": 8, "dropout": 0.1}),
    ("cnn", 4, (3, 8, 8), {"blocks": 2, "channels": 4, "kernel_size": 5, "activation": "tanh", "dropout": 0.1}),
    ("cnn", 3, (2, 16), {"convolutions": 2}),
    ("cnn", 2, (1, 4, 4, 4), {}),
    ("small_vgg", 4, (3, 8, 8), {}),
    ("signal_cnn", 4, (1, 64), {}),
    ("voxnet", 4, (1, 11, 11, 11), {}),
    ("volume_cnn", 4, (2, 6, 8, 9), {"width": 8, "dropout": 0.1}),
    ("unet", 3, (1, 16, 17), {"width": 2}),
    ("unet", 3, (2, 33), {"width": 2}),
]


@pytest.mark.parametrize(("name", "classes", "shape", "options"), SMALL)
def test_models_run_in_training(
    name: str, classes: int, shape: tuple[int, ...], options: dict[str, object]
) -> None:
    network = build(name, classes, shape, **options)
    rng = np.random.default_rng(0)
    theta = rng.normal(0.0, 0.1, network.parameter_count)
    run = reference.forward(network, theta, rng.normal(size=(3, *shape)), training=True)
    assert run.output.shape == (3, *network.output_shape)
    grad_theta, _ = reference.backward(run, rng.normal(size=run.output.shape))
    assert np.isfinite(grad_theta).all()
    assert grad_theta.any()


def test_perceptron_learns_conjunction_by_its_rule() -> None:
    network = perceptron()
    theta = np.zeros(3)
    samples, targets = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), [0, 0, 0, 1]
    for _ in range(20):
        for x, target in zip(samples, targets, strict=True):
            run = reference.forward(network, theta, x[None])
            theta -= reference.backward(run, run.output - target)[0]
    assert reference.forward(network, theta, samples).output[:, 0].tolist() == targets


def test_xor_network_can_compute_it() -> None:
    network = xor(activation="sigmoid")
    theta = np.array([20, 20, -20, -20, -10, 30, 20, 20, -30.0])
    out = reference.forward(network, theta, np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])).output[:, 0]
    assert (out > 0.5).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        ("alexnet", (3, 62, 224), {}, "alexnet: every side must be at least 63; got 3 x 62 x 224. Enlarge"),
        ("vgg16", (3, 31, 31), {}, "vgg16: every side must be at least 32; got 3 x 31 x 31"),
        ("googlenet", (3, 16, 16), {}, "googlenet: every side must be at least 32; got 3 x 16 x 16"),
        ("resnet18", (3, 28, 28), {}, "resnet18: every side must be at least 32; got 3 x 28 x 28"),
        ("resnet18", (3, 4, 4), {"stem": "cifar"}, "resnet18: every side must be at least 8; got 3 x 4 x 4"),
        ("resnet50", (3, 64, 64), {"stem": "mnist"}, "resnet50: stem: unknown name 'mnist'"),
        ("photo_cnn", (3, 3, 8), {}, "photo_cnn: every side must be at least 4; got 3 x 3 x 8"),
        ("photo_cnn", (3, 8, 8), {"width": 7}, "photo_cnn: width: must be at least 8; got 7"),
        ("cnn", (3, 8, 8), {"kernel_size": 4}, "cnn: kernel_size: must be odd; got 4"),
        ("cnn", (3, 4, 3), {}, "cnn: every side must be at least 4; got 3 x 4 x 3"),
        ("small_vgg", (3, 3, 3), {}, "small_vgg: every side must be at least 4; got 3 x 3 x 3"),
        ("lenet5_1998", (1, 30, 30), {}, "lenet5_1998: takes images of 32x32, or 28x28; got 1 x 30 x 30. Resize"),
        ("lenet5_1998", (1, 32, 32), {"output": "svm"}, "lenet5_1998: output: unknown name 'svm'"),
        ("signal_cnn", (1, 28, 28), {}, "signal_cnn: takes samples of channels x length; got 1 x 28 x 28"),
        ("signal_cnn", (1, 63), {}, "signal_cnn: every side must be at least 64; got 1 x 63"),
        ("voxnet", (1, 32, 32), {}, "voxnet: takes samples of channels x depth x rows x columns; got 1 x 32 x 32"),
        ("voxnet", (1, 32, 32, 10), {}, "voxnet: every side must be at least 11; got 1 x 32 x 32 x 10"),
        ("volume_cnn", (1, 8, 8), {}, "volume_cnn: takes samples of channels x depth x rows x columns"),
        ("volume_cnn", (1, 8, 8, 8), {"width": 4}, "volume_cnn: width: must be at least 8; got 4"),
        ("unet", (5,), {}, "unet: takes samples of channels x length; got 5"),
        ("unet", (1, 8, 8), {"width": 0}, "unet: width: must be at least 1; got 0"),
        ("xor", (3,), {}, "xor: takes 2 numbers of 2 classes; got 3 and 2 classes. Use an mlp"),
        ("alexnet", (3, 64, 64), {"grouped": 1}, "alexnet: grouped: must be True or False; got 1"),
        ("vgg11", (3, 64, 64), {"batch_norm": "yes"}, "vgg11: batch_norm: must be True or False; got 'yes'"),
        ("vgg11", (3, 64, 64), {"dropout": 1.5}, "dropout: must be at least 0 and below 1; got 1.5"),
        ("googlenet", (3, 64, 64), {"auxiliary": 2}, "googlenet: auxiliary: must be True or False; got 2"),
    ],
)
def test_wrong_sizes_and_options_are_explained(
    name: str, shape: tuple[int, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises((ShapeError, UsageError), match=message):
        build(name, 2, shape, **options)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("alexnet", (3, 63, 63)), ("vgg19", (3, 32, 32)), ("googlenet", (3, 32, 32)), ("resnet50", (3, 32, 32))],
)
def test_least_sizes_do(name: str, shape: tuple[int, ...]) -> None:
    assert build(name, 2, shape).output_shape == (2,)
