"""``striate export``: every format, and what must not be lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model, load, models
from striate.training.initialisation import initialise


@pytest.fixture
def model(tmp_path: Path) -> Path:
    network = models.lenet5(10, (1, 8, 8))
    return Model(network, initialise(network, "he", 0)[0].astype(np.float32)).save(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["m.onnx", "m.js", "m.py", "m.html"])
def test_writes_the_format_that_the_ending_names(run: Any, model: Path, name: str) -> None:
    result = run("export", model, model.with_name(name))
    assert result.exit_code == 0
    assert model.with_name(name).stat().st_size > 1000


def test_never_replaces_the_model_that_it_reads(run: Any, refused: Any, model: Path) -> None:
    before = model.read_bytes()
    assert "is the model itself" in refused("export", model, model, status=2)
    assert run("export", model, model.with_suffix(".py")).exit_code == 0  # its weights lie beside it
    assert model.read_bytes() == before
    load(model)
    named = model.rename(model.with_name("net_weights.safetensors"))
    assert "is the model itself" in refused("export", named, model.with_name("net.py"), status=2)
    assert named.read_bytes() == before


def test_names_the_endings_that_there_are(refused: Any, model: Path) -> None:
    assert ".js" in refused("export", model, model.with_name("m.zip"), status=2)
    message = refused("export", model, model.with_name("m.pt"), status=2)
    assert "got '.pt'. PyTorch runs the .py file; most other programs read .onnx." in message


def test_writes_a_library(run: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("striate.targets.library.write", lambda *arguments: asked.append(arguments[1:]) or [])
    run("export", model, "--to", "library", "--target", "armv7", "--out", model.with_name("c"), "--name", "digits")
    assert asked == [(model.with_name("c"), "armv7", "digits")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "library"], "FILE: is required"),
        (["a.onnx", "--out", "b.onnx"], "only one of them can be given"),
        (["a.onnx", "--target", "armv7"], "Add --to library"),
        (["--to", "library", "--out", "c", "--without-preprocessing"], "a library normalises"),
        (["--to", "library", "--out", "c", "--target", "cortex-m5"], "did you mean 'cortex-m7' or 'cortex-m4'"),
        (["a", "--to", "libary"], "did you mean 'library'"),
    ],
)
def test_refuses_what_does_not_go_together(refused: Any, model: Path, arguments: list[str], message: str) -> None:
    assert message in refused("export", model, *arguments, status=2)


def test_writes_a_page_that_learns(run: Any, refused: Any, tmp_path: Path) -> None:
    page = tmp_path / "learn.html"
    assert run("export", "--live", "digits", page).exit_code == 0
    assert "a network learns" in page.read_text("utf-8")
    assert "must end in .html" in refused("export", "--live", "digits", tmp_path / "learn.js", status=2)
    assert run("export", "logistic_regression", page, "--live", "digits").exit_code == 0
    assert page.stat().st_size < 300_000  # one network in place of all those of the lists
    assert "unknown name 'nothing'" in refused("export", "--live", "digits", "nothing", page, status=2)


def test_samples_belong_to_pages(refused: Any, model: Path) -> None:
    message = refused("export", model, model.with_name("m.onnx"), "--samples", "digits", status=2)
    assert "only pages can hold samples" in message
    message = refused("export", model, model.with_name("m.html"), "--without-preprocessing", status=2)
    assert "always normalises" in message


@pytest.mark.parametrize("option", [["--to", "onnx"], ["--samples", "digits"], ["--without-preprocessing"]])
def test_a_page_that_learns_takes_no_options_of_models(refused: Any, tmp_path: Path, option: list[str]) -> None:
    message = refused("export", "--live", "digits", tmp_path / "page.html", *option, status=2)
    assert "--live: writes a page in which a network learns" in message
