"""Weights of PyTorch come in and go out; pickles are data, whatever they ask for."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data.normalisation import Normalisation
from striate.errors import ModelFileError, StriateError, UsageError
from striate.interop.pytorch import load_weights, read_state_dict
from striate.interop.pytorch.names import torch_names
from striate.interop.reading import Wish, read
from striate.interop.writing import write
from striate.layers import (
    GRU,
    LSTM,
    RNN,
    Absolute,
    Concatenate,
    Conv2d,
    Erf,
    Exp,
    Flatten,
    Input,
    Layer,
    Linear,
    Log,
    MatMul,
    Maximum,
    Minimum,
    Permute,
    Power,
    Select,
    Slice,
    Sqrt,
    Where,
)
from striate.model import Model
from striate.models import MODELS
from striate.network import Network, Sequential

torch: Any = pytest.importorskip("torch")


def randomised(network: Network, seed: int = 0) -> Model:
    rng = np.random.default_rng(seed)
    theta = np.zeros(network.parameter_count, np.float32)
    for slot in network.parameters:
        fan = max(1, slot.spec.fan_in)
        scale = np.sqrt(2 / fan) if fan > 1 else 0.1
        slot.view(theta)[...] = rng.normal(0 if fan > 1 else slot.spec.name == "weight", scale, slot.spec.shape)
    states = network.initial_states() + rng.uniform(0, 0.2, network.state_count)
    return Model(network, theta, states.astype(np.float32))


def arrays() -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(4, 6, generator=generator)
    return {
        "plain": base,
        "turned": base.T,
        "part": base[1:3, ::2],
        "half": base.half(),
        "brain": base.bfloat16(),
        "whole": torch.arange(5),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
    }


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
def test_files_of_both_formats_hold_the_arrays(legacy: bool, tmp_path: Path) -> None:
    wanted = arrays()
    torch.save(wanted, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    found = read_state_dict(tmp_path / "a.pt")
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        truth = tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
        np.testing.assert_array_equal(found[name], truth)


def test_checkpoints_and_wrapped_models_are_looked_into(tmp_path: Path) -> None:
    state = {f"module.{name}": tensor for name, tensor in arrays().items()}
    torch.save({"epoch": 3, "state_dict": state, "loss": 0.5}, tmp_path / "a.pth")
    assert list(read_state_dict(tmp_path / "a.pth")) == list(arrays())


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch /tmp/striate-was-run",)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
def test_other_globals_are_named_and_never_run(legacy: bool, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2), "b": Evil()}, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelFileError, match=r"it names '(posix|nt)\.system', which could run code"):
        read_state_dict(tmp_path / "a.pt")
    assert not Path("/tmp/striate-was-run").exists()


def test_whole_modules_are_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pt")
    with pytest.raises(
        ModelFileError, match=r"it names 'torch\.nn\.modules\.linear\.Linear', .* save a state_dict"
    ):
        read_state_dict(tmp_path / "a.pt")


def with_pickle(path: Path, content: bytes, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
        for name, data in members.items():
            archive.writestr(f"a/data/{name}", data)
    return path


def test_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(ModelFileError, match=r"a\.pt: cannot be read; No such file"):
        read_state_dict(path)
    for content, reason in (
        (b"", "it ends too early"),
        (b"PK\x03\x04 nothing", "must be a file of PyTorch weights"),
        (pickle.dumps({"a": 1}, 2), "neither a zip archive nor a stream of PyTorch"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=reason):
            read_state_dict(path)
    with pytest.raises(ModelFileError, match=r"it has more than|opcode|mark is missing"):
        read_state_dict(with_pickle(path, b"\x80\x02t."))
    with pytest.raises(ModelFileError, match=r"holds no dictionary"):
        read_state_dict(with_pickle(path, pickle.dumps([1], 2)))


class Claimed:
    """A storage of four numbers."""


class Pickler(pickle.Pickler):
    def persistent_id(self, item: Any) -> Any:
        return ("storage", torch.FloatStorage, "0", "cpu", 4) if isinstance(item, Claimed) else None


class Rebuilt:
    """A tensor with any place, shape and strides."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __reduce__(self) -> Any:
        return torch._utils._rebuild_tensor_v2, (Claimed(), *self.arguments, False, {})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0, (True, 2), (2, 1)), "the shape of a tensor is damaged"),
        ((0, (2.0, 2), (2, 1)), "the shape of a tensor is damaged"),
        ((-1, (2,), (1,)), "the shape of a tensor is damaged"),
        ((0, (2, 2), (1,)), "the shape of a tensor is damaged"),
        ((0, (2**62,) * 90_000, (0,) * 90_000), "the shape of a tensor is damaged"),  # a minute of products
        ((0, (10**400, 1), (0, 0)), "the shape of a tensor is damaged"),
        ((3, (2,), (1,)), r"a tensor of shape \[2\] is larger than its storage"),
        ((0, (2**40,), (0,)), r"a tensor of shape \[1099511627776\] is larger than its storage"),
    ],
)
def test_tensors_that_reach_beyond_their_storage(arguments: Any, reason: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    Pickler(content, 2).dump({"w": Rebuilt(*arguments)})
    with pytest.raises(ModelFileError, match=reason):
        read_state_dict(with_pickle(tmp_path / "a.pt", content.getvalue(), **{"0": bytes(16)}))


DOUBLED = b")" + b"".join(bytes([113, n, 104, n, 134]) for n in range(60))
"""A tuple of a tuple twice, 60 times over: 2^60 entries for whoever visits all."""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"}" + DOUBLED + b"Ns.", "a key that is neither text nor a number"),
        (b"}N" + b"\x85" * 200_000 + b"Ns.", "a key that is neither text nor a number"),
        (b"ccollections\nOrderedDict\n(]" + DOUBLED + b"N\x86atR.", "neither text nor a number"),
        (DOUBLED + b"X\1\0\0\0x\x93.", "a global whose name is not text"),
        (b"}q\0X\5\0\0\0modelh\0s.", "its dictionaries are nested more than 20 deep"),
        (b"\x85.", "it takes from an empty stack"),
        (b"N0" * 400_000, "more than 600,000 opcodes"),
        (b"ctorch\nfloat_power\n.", "it names 'torch.float_power', which could run code"),
    ],
)
def test_pickles_that_are_made_to_harm(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=reason):
        read_state_dict(with_pickle(tmp_path / "a.pt", b"\x80\2" + content))


def test_the_name_of_a_storage_is_text_or_a_number(tmp_path: Path) -> None:
    storage = b"(X\7\0\0\0storagectorch\nFloatStorage\n" + DOUBLED + b"X\3\0\0\0cpuK\4tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0K\4\x85K\1\x85\x89NtR"
    with pytest.raises(ModelFileError, match="the name of a storage is damaged"):
        read_state_dict(with_pickle(tmp_path / "a.pt", b"\x80\2}X\1\0\0\0a" + tensor + b"s."))


def test_compressed_members_are_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"0" * 10_000_000)
    with pytest.raises(ModelFileError, match=r"'a/data\.pkl' is compressed, or larger than the file"):
        read_state_dict(tmp_path / "a.pt")


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, 2))
    data = bytearray((tmp_path / "a.pt").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag of the directory's entry
    (tmp_path / "a.pt").write_bytes(data)
    with pytest.raises(ModelFileError, match="is encrypted"):
        read_state_dict(tmp_path / "a.pt")


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
def test_mutated_files_are_weights_or_refused_in_one_line(legacy: bool, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in arrays().items() if name != "empty"}
    torch.save(state, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    whole = np.frombuffer((tmp_path / "a.pt").read_bytes(), np.uint8)
    rng, path, messages = np.random.default_rng(0), tmp_path / "b.pt", []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, of names that occur twice
        for number in range(400):
            data = whole.copy()
            places = rng.integers(0, len(data), rng.integers(1, 6))
            data[places] = rng.integers(0, 256, len(places))
            path.write_bytes(data[: rng.integers(1, len(data))].tobytes() if number % 4 == 0 else data.tobytes())
            try:
                read_state_dict(path)
            except StriateError as error:
                messages.append(str(error))
    assert len(messages) > 100
    assert all("\n" not in text and len(text) < 600 for text in messages)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "alexnet", "googlenet"])
def test_weights_that_go_out_come_back(name: str, tmp_path: Path) -> None:
    model = randomised(MODELS[name](7, (3, 64, 64)))
    (path,) = write(model, tmp_path / "weights.safetensors")
    back = read(path, Wish((3, 64, 64), name)).model
    np.testing.assert_array_equal(back.theta, model.theta)
    np.testing.assert_array_equal(back.states, model.states)


def test_names_are_those_of_torchvision() -> None:
    names = torch_names(MODELS["vgg16"](1000, (3, 32, 32)))
    assert names["conv5_3.weight"] == "features.28.weight"
    assert [v for k, v in names.items() if k.startswith("linear")][::2] == [
        "classifier.0.weight",
        "classifier.3.weight",
        "classifier.6.weight",
    ]
    assert torch_names(MODELS["googlenet"]())["inception3a/5x5/norm.bias"] == "inception3a.branch3.1.bn.bias"


def test_weights_without_known_names_are_matched_by_order_and_shape() -> None:
    model = randomised(MODELS["lenet5"](10, (1, 28, 28)))
    named: dict[str, np.ndarray] = {}
    for number, (key, array) in enumerate(model.parameters.items()):
        named[f"net.{number // 2}.{key.split('.')[1]}"] = array
    match = load_weights(model.network, named)
    np.testing.assert_array_equal(match.theta, model.theta)


def test_another_number_of_classes_leaves_the_head_out() -> None:
    weights = randomised(MODELS["resnet18"](10, (3, 32, 32)))
    names = torch_names(weights.network)
    tensors = {names[k]: v for k, v in weights.parameters.items()}
    tensors |= {names[s.name]: s.view(weights.states) for s in weights.network.states}
    match = load_weights(MODELS["resnet18"](3, (3, 32, 32)), tensors)
    assert match.missing == ("linear1.weight", "linear1.bias")
    assert "missing in the file: linear1.weight, linear1.bias" in match.lines()


def as_published(model: Model) -> dict[str, Any]:
    names = torch_names(model.network)
    tensors = {names[k]: torch.tensor(v) for k, v in model.parameters.items()}
    return tensors | {names[s.name]: torch.tensor(s.view(model.states)) for s in model.network.states}


@pytest.mark.parametrize("prefix", ["module.", "backbone.", "_orig_mod.", "model.encoder."])
@pytest.mark.parametrize("keys", [(), ("state_dict",), ("model", "state_dict")])
def test_weights_under_other_names_are_found(prefix: str, keys: tuple[str, ...], tmp_path: Path) -> None:
    model = randomised(MODELS["resnet18"](7, (3, 32, 32)))
    tree: dict[str, Any] = {prefix + name: tensor for name, tensor in as_published(model).items()}
    tree["epochs"] = torch.tensor(3)
    for key in reversed(keys):
        tree = {"epoch": 3, key: tree}
    torch.save(tree, tmp_path / "a.pth")
    found = read(tmp_path / "a.pth", Wish(network="resnet18", input_shape=(3, 32, 32)))
    assert found.report == ("102 of 102 arrays found", "not used: epochs")
    np.testing.assert_array_equal(found.model.theta, model.theta)
    np.testing.assert_array_equal(found.model.states, model.states)


def test_weights_that_fit_in_part_are_reported() -> None:
    tensors = as_published(randomised(MODELS["resnet18"](7, (3, 32, 32))))
    partial = {name: tensor.numpy() for name, tensor in tensors.items() if not name.startswith("layer4.1.")}
    match = load_weights(MODELS["resnet18"](7, (3, 32, 32)), partial | {"extra.weight": np.zeros(2)})
    assert match.lines() == [
        "92 of 102 arrays found",
        "missing in the file: stage4/block2/conv1.weight, stage4/block2/conv1/norm.weight, "
        "stage4/block2/conv1/norm.bias, stage4/block2/conv2.weight, stage4/block2/conv2/norm.weight and 5 more",
        "not used: extra.weight",
    ]


def test_weights_of_another_network_are_refused() -> None:
    tensors = {"a.weight": np.zeros((3, 3)), "a.bias": np.zeros(3)}
    with pytest.raises(ModelFileError, match=r"resnet18: .* arrays are not in the file, such as conv1.weight"):
        load_weights(MODELS["resnet18"](10, (3, 32, 32)), tensors)


@pytest.mark.parametrize("outputs", ["4", '"classes"'])
def test_weights_of_a_network_in_a_toml_file(outputs: str, tmp_path: Path) -> None:
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 4)).eval()
    torch.save({"state_dict": net.state_dict(), "epoch": 3}, tmp_path / "a.pth")
    toml = tmp_path / "net.toml"
    body = ['type = "Conv2d"\nout_channels = 5\nkernel_size = 3', 'type = "ReLU"', 'type = "Flatten"']
    head = f'type = "Linear"\nout_features = {outputs}'
    toml.write_text("".join(f"[[layers]]\n{layer}\n" for layer in [*body, head]))
    model = read(tmp_path / "a.pth", Wish(network=str(toml), input_shape=(3, 8, 8))).model
    assert model.normalisation is None
    x = np.random.default_rng(0).uniform(size=(2, 3, 8, 8)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(model.outputs(x), net(torch.tensor(x)).numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(UsageError, match=r"net.toml: needs an input_shape, .* or use --input"):
        read(tmp_path / "a.pth", Wish(network=str(toml)))


def test_weights_need_the_name_of_their_network(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(UsageError, match=r"weights need the network they belong to\. Name it: --network"):
        read(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("lenet5", (1, 28, 28)),
        ("resnet18", (3, 32, 32)),
        ("mobilenet_v3_small", (3, 32, 32)),
        ("googlenet", (3, 32, 32)),
    ],
)
def test_source_of_pytorch_computes_the_same(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    model = randomised(MODELS[name](5, shape))
    model.normalisation = Normalisation((0.5,) * shape[0], (2.0,) * shape[0])
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    np.testing.assert_allclose(run_source(model, x, tmp_path), model.outputs(x), rtol=1e-4, atol=1e-6)


def run_source(model: Model, x: np.ndarray, folder: Path) -> np.ndarray:
    """Return what the source of a model makes of ``x``."""
    source, weights = write(model, folder / "network.py")
    assert weights.name == "network_weights.safetensors"
    spec = importlib.util.spec_from_file_location("network", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with torch.no_grad():
        return np.asarray(module.load()(torch.tensor(x)).numpy())


def test_source_of_recurrent_layers(tmp_path: Path) -> None:
    x = Input((3, 9))
    both = Concatenate()(LSTM(4)(x), GRU(4, reverse=True)(x), RNN(2, activation="relu", bias=False)(x))
    network = Network(Linear(2)(Flatten()(both)), "both_ways")
    rng = np.random.default_rng(0)
    model = Model(network, rng.normal(0, 0.5, network.parameter_count).astype(np.float32))
    samples = rng.normal(size=(5, 3, 9)).astype(np.float32)
    np.testing.assert_allclose(run_source(model, samples, tmp_path), model.outputs(samples), rtol=1e-4, atol=1e-5)
    without = Sequential([GRU(2, reset_after=False, bias=False)], (1, 3))
    with pytest.raises(ModelFileError, match=r"gru1: PyTorch has no GRU with reset_after=False. Export to ONNX"):
        write(Model(without, np.zeros(without.parameter_count)), tmp_path / "gru.py")


def test_source_of_functions_and_exchanged_axes(tmp_path: Path) -> None:
    body = [
        Conv2d(4, 3), Absolute(), Power(1.5), Sqrt(), Exp(), Erf(), Permute((1, 2, 0)), Flatten(), Linear(3),
        Exp(), Log(),
    ]  # fmt: skip
    model = randomised(Sequential(body, (2, 6, 5)))
    x = np.random.default_rng(0).normal(size=(4, 2, 6, 5)).astype(np.float32)
    np.testing.assert_allclose(run_source(model, x, tmp_path), model.outputs(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("body", [[Flatten(), Linear(2)], [Conv2d(2, 3)]])
def test_source_of_a_regression_gives_the_units_of_its_targets(body: list[Layer], tmp_path: Path) -> None:
    model = randomised(Sequential(body, (1, 5, 5)))
    model.metadata, model.target_normalisation = {"targets": "numbers"}, Normalisation((900.0, -5.0), (200.0, 0.5))
    x = np.random.default_rng(0).normal(size=(4, 1, 5, 5)).astype(np.float32)
    np.testing.assert_allclose(run_source(model, x, tmp_path), model.predict(x), rtol=1e-5, atol=1e-4)


def test_source_of_slices_selections_and_choices(tmp_path: Path) -> None:
    x = Input((4, 6, 5))
    rows = Slice((0, 5, 0), (4, 3, 5), (1, -2, 1))(Select([3, 1, 1, 0], 0)(x))
    columns = Slice((0, 1, 0), (4, 3, 5), (1, 2, 1))(Select([0, 0, 1, 2, 3, 5], 1)(x))
    y = Where()(rows, Maximum()(rows, columns), Minimum()(rows, columns))
    model = Model(Network(Flatten()(MatMul()(y, Permute((0, 2, 1))(columns))), "choices"), np.zeros(0))
    samples = np.random.default_rng(0).normal(size=(3, 4, 6, 5)).astype(np.float32)
    np.testing.assert_allclose(run_source(model, samples, tmp_path), model.outputs(samples), rtol=1e-4, atol=1e-5)


def test_layers_that_pytorch_does_not_have_are_named(tmp_path: Path) -> None:
    from striate.layers import RadialBasis
    from striate.network import Sequential

    model = Model(Sequential([RadialBasis(2)], 3), np.zeros(6))
    with pytest.raises(ModelFileError, match=r"rbf1: RadialBasis has no form in PyTorch. Export to ONNX"):
        write(model, tmp_path / "a.py")
