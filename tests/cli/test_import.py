"""What a foreign model expects of pictures is said once, at import, and kept in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.errors import UsageError
from striate.interop.protobuf import encode
from striate.interop.reading import Wish, read
from striate.layers import Conv2d, Flatten, Linear
from striate.model import Model, load
from striate.network import Sequential
from support.onnx_graphs import message, node, value

IMAGENET = (103.939, 116.779, 123.68)  # blue, green, red


def exported(folder: Path, channels: int = 3) -> tuple[Path, Model]:
    """Write a small network as ONNX."""
    network = Sequential([Conv2d(4, 3), Flatten(), Linear(5)], (channels, 6, 8), "small")
    model = Model(network, np.random.default_rng(0).normal(0, 0.1, network.parameter_count))
    return model.to_onnx(folder / "small.onnx"), model


def test_colours_in_the_order_of_opencv(tmp_path: Path, run: Any) -> None:
    path, model = exported(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    assert run("import", path, "--pixels", "caffe", "--channels", "bgr").exit_code == 0
    theirs = (pixels[..., ::-1] - np.array(IMAGENET)).transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    wanted = model.outputs(theirs)
    found = load(tmp_path / "small.safetensors")
    raw = pixels.transpose(2, 0, 1)[np.newaxis].astype(np.float32)
    np.testing.assert_allclose(found.outputs(raw), wanted, rtol=1e-4, atol=1e-3)
    answer = run("predict", tmp_path / "small.safetensors", tmp_path / "picture.png", "--json")
    assert answer.exit_code == 0, answer.output
    assert str(int(wanted.argmax())) in answer.stdout
    again = read(found.to_onnx(tmp_path / "again.onnx")).model
    np.testing.assert_allclose(again.outputs(raw), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("channels", "order", "message"),
    [
        (3, "rbg", "--channels: unknown name 'rbg'"),
        (1, "bgr", "--channels: bgr is for pictures of 3 channels; got 1 x 6 x 8. Leave it out."),
    ],
)
def test_orders_that_do_not_fit(channels: int, order: str, message: str, tmp_path: Path) -> None:
    path, _ = exported(tmp_path, channels)
    with pytest.raises(UsageError, match=message):
        read(path, Wish(channels=order))


def test_files_that_are_no_models_and_missing_names(tmp_path: Path, refused: Any) -> None:
    message = refused("import", tmp_path / "d1.png", status=2)
    assert message.endswith("got '.png'. Save the model in one of these formats.")
    path, _ = exported(tmp_path)
    message = refused("import", path, "--classes", tmp_path / "missing.txt", status=1)
    assert "missing.txt: cannot be read (No such file or directory). Give a text file with one" in message


def test_shapes_and_constants_by_name(tmp_path: Path, run: Any) -> None:
    content = message([node("Mul", "x rate", "out")], "n", "t")
    content.graph.input.append(value("rate"))  # type: ignore[union-attr]
    path = tmp_path / "m.onnx"
    path.write_bytes(encode(content))
    assert run("import", path, "--input", "x=4", "--constant", "rate=3").exit_code == 0
    np.testing.assert_allclose(load(tmp_path / "m.safetensors").outputs(np.ones((1, 4), np.float32)), [[3.0] * 4])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--input", "4", "--input", "5"], "--input: several shapes need the names of their inputs; got 4, 5."),
        (["--constant", "rate"], "--constant: must be a name and a number, such as rate=16000; got 'rate'."),
        (
            ["--constant", "rate=fast"],
            "--constant: must be a name and a number, such as rate=16000; got",
        ),
    ],
)
def test_options_that_are_no_shapes_and_numbers(options: list[str], reason: str, tmp_path: Path, run: Any) -> None:
    path, _ = exported(tmp_path)
    assert reason in " ".join(run("import", path, *options).output.split())


@pytest.mark.parametrize("wish", [Wish(shapes={"x": (3, 8, 8)}), Wish(constants={"x": 1.0}), Wish(output="x")])
def test_names_are_for_onnx(wish: Wish, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--constant, --output and names in --input are for ONNX files"):
        read(tmp_path / "m.keras", wish)


def test_a_model_that_ends_early_needs_nothing_of_what_follows(tmp_path: Path, run: Any) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(
        encode(message([node("Neg", "x", "scores"), node("NonMaxSuppression", "scores", "boxes")], "n", 4))
    )
    assert "NonMaxSuppression 'the_boxes': there is no such operator" in " ".join(
        run("import", path).output.split()
    )
    assert "'scors' to end with; did you mean 'scores'?" in " ".join(
        run("import", path, "--output", "scors").output.split()
    )
    assert "to end with; its outputs are boxes." in " ".join(
        run("import", path, "--output", "elsewhere").output.split()
    )
    assert run("import", path, "--output", "scores").exit_code == 0
    np.testing.assert_array_equal(
        load(tmp_path / "m.safetensors").outputs(np.ones((1, 4), np.float32)), [[-1.0] * 4]
    )


def test_weights_without_all_arrays_of_the_network_are_refused(tmp_path: Path, refused: Any) -> None:
    """Zeros in the place of a last layer would make a model of constant outputs."""
    torch = pytest.importorskip("torch")
    layers = (
        '"Conv2d"\nname = "first"\nout_channels = 4\nkernel_size = 3',
        '"Flatten"',
        '"Linear"\nout_features = 3',
    )
    (tmp_path / "net.toml").write_text("".join(f"[[layers]]\ntype = {layer}\n\n" for layer in layers))
    own = torch.nn.Sequential()
    own.add_module("first", torch.nn.Conv2d(1, 4, 3))
    own.add_module("flat", torch.nn.Flatten())
    own.add_module("head", torch.nn.Linear(4 * 6 * 6, 3))
    path = tmp_path / "weights.pth"
    torch.save(own.state_dict(), path)
    message = refused("import", path, "--network", tmp_path / "net.toml", "--input", "1x8x8", status=1)
    assert (
        "every array of net must be in the file; 2 of 4 arrays found; missing in the file: linear1.weight"
        in message
    )
    assert not path.with_suffix(".safetensors").exists()
