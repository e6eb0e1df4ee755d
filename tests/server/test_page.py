"""The page of the server in a real browser: the explorer with the server's numbers, and the curves of a run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.server.conftest import make_model, make_run
from tests.server.test_running import started

from striate import Model
from striate.explain.attribution import attribute
from support.browser import Browser, browser, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "runs")


def _edits_and_gradients(window: Browser, model: Model, raw: np.ndarray) -> None:
    """Change a weight in the page and undo it; the gradient and occlusion are those of the changed model."""
    listed, name = raw.ravel().tolist(), model.network.steps[-1].name
    outputs = f"return [...striate.state.values.get({name!r})]"
    window.answer("striate.input.enter(Float32Array.from(arguments[0]))", listed)
    before = window.run(outputs)
    window.answer("striate.editParameter(3, '', 2)")
    changed = Model(model.network, model.theta.copy(), classes=model.classes)
    changed.theta[3] = 2.0
    np.testing.assert_allclose(window.run(outputs), changed.outputs(raw[None])[0], atol=1e-5)
    assert before != window.run(outputs)
    for method in ("gradient", "occlusion"):
        window.run("striate.choose(1)")
        window.run("striate.attribute(arguments[0])", method)
        window.until(f"!striate.busy && striate.map && striate.method === {method!r}")
        if method == "gradient":
            expected = attribute(changed, raw, "gradient", target=1).values.ravel()
            found = window.run("return [...striate.map]")
            np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
        window.run("striate.choose(1)")
    window.answer("striate.edits.undo()")  # while the last choice is still being computed
    np.testing.assert_allclose(window.run(outputs), before, atol=1e-6)


def test_shows_model_and_curves(tmp_path: Path) -> None:
    model = make_model()
    make_run(tmp_path)
    epochs = [
        {"event": "epoch", "epoch": n, "loss": 2 / n, "accuracy": 1 - 1 / n, "val_loss": 2.5 / n} for n in (1, 2, 3)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in epochs))
    with started(tmp_path) as (_, address, token), browser(tmp_path) as window:
        window.visit(f"{address}/?token={token}")
        window.until("window.striate && window.striate.state.values.size")
        window.until("document.querySelectorAll('#live svg').length === 2")
        assert window.run("return location.href") == f"{address}/"
        window.until("document.querySelectorAll('.samples button canvas').length >= 3")
        window.until("striate.raw.some((value) => value)")  # the first of them is shown
        raw = [float(i % 7) for i in range(64)]
        found = window.answer(
            "window.striate.source.run(Float32Array.from(arguments[0])).then((f) => [...f.values[arguments[1]]])",
            raw,
            model.network.steps[-1].name,
        )
        np.testing.assert_allclose(
            found, model.outputs(np.array(raw, np.float32).reshape(1, 1, 8, 8))[0], atol=1e-5
        )
        _edits_and_gradients(window, model, np.array(raw, np.float32).reshape(1, 8, 8))
        window.run("globalThis.fetch = () => Promise.reject(new Error('the server does not answer')); return 0")
        window.answer("striate.editInput([0, 1, 1], 5)")
        assert "the server does not answer" in window.run(
            "return document.querySelector('#outputs .warning').innerText"
        )
        assert window.run("return document.cookie") == ""  # scripts cannot read it
        assert "epoch 3" in window.run("return document.getElementById('live').innerText")
        assert window.console() == []


EPOCHS = 25


def test_follows_a_run_from_its_first_epoch_to_its_model(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "striate", "train", "digits", "--model", "logistic_regression", "--no-report"]
    command += ["--epochs", str(EPOCHS), "--early-stopping", "none", "--out", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as training:
        while not (folder / "config.toml").exists():
            assert training.poll() is None
            time.sleep(0.02)
        with started(folder) as (_, address, token), browser(tmp_path) as window:
            window.visit(f"{address}/?token={token}")
            window.until("document.getElementById('live').innerText.includes('training is over')", 60)
            assert (
                window.run(
                    "return document.querySelector('#live polyline').getAttribute('points').split(' ').length"
                )
                == EPOCHS
            )
            window.until("window.striate && striate.raw && !striate.busy")  # without opening the page again
            assert window.run("return striate.info.name") == "logistic_regression"
            assert window.console() == []


def test_says_that_the_server_is_gone_and_that_another_one_refuses(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "log.jsonl").write_text(json.dumps({"event": "epoch", "epoch": 1, "loss": 2.0}) + "\n")
    shown = "document.getElementById('live').innerText.includes({!r})"
    with browser(tmp_path) as window:
        with started(tmp_path) as (_, address, token):
            window.visit(f"{address}/?token={token}")
            window.until(shown.format("epoch 1 of the run is done"))
        window.until(shown.format("trying again"))
        with started(tmp_path, address.rpartition(":")[2]):  # which has another token
            window.until(shown.format("Open the address that it printed"))
