"""The page that trains, in a real browser: the same steps as the native engine, and a model that opens."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import numpy as np
import pytest

import striate
from striate.data.dataset import Dataset
from striate.data.digits import digits
from striate.data.splits import Splits
from striate.engine.training_session import TrainingSession
from striate.errors import UsageError
from striate.network import Network
from striate.pages import choices, live
from striate.pages.training_programs import BATCH, OPTIMIZERS
from striate.storage.atomic import write_atomically
from striate.training.initialisation import initialise
from striate.training.optimizers import optimizer
from support.browser import Browser

KEY = "8,3,tanh,average,16,64"
STEPS = 5


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live.write("digits", tmp_path_factory.mktemp("page") / "learn.html")


def native_losses(network: Network, theta: np.ndarray, name: str) -> tuple[list[float], np.ndarray]:
    train, chosen = digits().train, optimizer(name)
    session = TrainingSession(
        network, batch_size=BATCH, loss=live.LOSS, optimizer=chosen.kernel, dtype=np.dtype(np.uint8), threads=1
    )
    session.vectors.theta[: len(theta)] = theta
    normalisation = live.Normalisation.fit(train)
    session.normalise(np.asarray(normalisation.mean), np.asarray(normalisation.scale))
    losses = []
    for step in range(STEPS):
        index = np.arange(step * BATCH, (step + 1) * BATCH)
        numbers = chosen.numbers(step + 1, chosen.learning_rate)
        found, _ = session.step(train.inputs, index, train.targets[index], numbers, number=step)
        losses.append(float(found.mean()))
    return losses, session.vectors.theta[: len(theta)].copy()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_takes_the_steps_of_the_native_engine(window: Browser, page: Path, name: str) -> None:
    network = choices.networks(10, (1, 8, 8))[KEY]
    theta, _ = initialise(network, "lecun", 0)
    losses, after = native_losses(network, theta, name)
    window.open(page)
    window.until("window.striate && striate.ready")
    found, parameters = window.answer(
        "(async ([key, theta, optimizer, learningRate, steps]) => { const call = striate.worker.call;"
        "Object.keys(striate.chosen).forEach((name, i) => { striate.chosen[name] = key.split(',')[i]; });"
        "await striate.begin(); await call('settings', { optimizer, learningRate });"
        "await call('begin', Float32Array.from(theta)); const losses = await call('steps', steps);"
        "return [losses, [...(await call('look', 0)).parameters]]; })(arguments[0])",
        [KEY, theta.tolist(), name, optimizer(name).learning_rate, STEPS],
    )
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    moved = np.abs(after - theta).max()
    assert moved > 0
    assert np.mean(np.abs(np.array(parameters)[: len(after)] - after)) <= 1e-3 * moved
    assert window.console() == []


def test_learns_shows_it_and_gives_a_model_that_opens(window: Browser, page: Path, tmp_path: Path) -> None:
    assert page.stat().st_size < 1_000_000
    window.open(page)
    window.until("window.striate && striate.ready")
    window.run("document.querySelector('button.main').click()")
    window.until("striate.curves.points.length > 4 && striate.curves.points.at(-1)[0] > 400")
    window.run("document.querySelector('button.main').click()")
    window.until("!striate.running")
    right, facts = window.answer("striate.worker.call('evaluate').then((e) => [e.accuracy, [e.epoch, e.step]])")
    assert right > 0.8
    assert window.run("return document.querySelectorAll('.predictions .right').length") > 25
    assert window.run("return document.querySelectorAll('.confusion td').length") == 100
    text = window.answer(
        "striate.worker.call('save').then((b) => btoa(Array.from(b, (c) => String.fromCharCode(c)).join('')))"
    )
    path = tmp_path / "model.safetensors"
    path.write_bytes(base64.b64decode(text))
    model = striate.load(path)
    assert [model.metadata["epochs"], model.metadata["steps"]] == facts
    assert abs(model.evaluate(digits().validation).accuracy - right) < 0.01
    assert window.console() == []


def test_another_network_begins_with_fresh_weights(window: Browser, page: Path) -> None:
    window.open(page)
    window.until("window.striate && striate.ready")
    before = window.run("return striate.counts.textContent")
    window.answer("striate._steps(3)")
    window.run(
        "const field = document.querySelector('.network select'); field.value = '16';"
        "field.dispatchEvent(new Event('change'))"
    )
    window.until(f"striate.ready && striate.counts.textContent !== {before!r}")
    assert window.run("return striate.curves.points.map((p) => p[0])") == [0]


@pytest.mark.parametrize("shape", [(6,), (2, 40)])
def test_learns_tables_and_series_and_downloads(window: Browser, tmp_path: Path, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 200)
    inputs = (rng.normal(size=(200, *shape)) + 2.0 * targets.reshape(-1, *(1,) * len(shape))).astype(np.float32)
    data = Splits(
        Dataset(inputs, targets, ("low", "high"), "levels"), Dataset(inputs, targets, ("low", "high"), "levels")
    )
    page = write_atomically(tmp_path / "learn.html", live.page_of(data, "levels").encode())
    window.open(page)
    window.until("window.striate && striate.ready")
    window.answer("striate._steps(60)")
    right = window.answer("striate.worker.call('evaluate').then((e) => e.accuracy)")
    assert right > 0.9
    window.run("[...document.querySelectorAll('button')].find((b) => b.textContent.startsWith('download')).click()")
    path = window.downloads / "levels.safetensors"
    wait_for(path)
    assert abs(striate.load(path).evaluate(data.train).accuracy - right) < 0.02
    path.unlink()
    assert window.console() == []


def wait_for(path: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        time.sleep(0.05)
    raise TimeoutError(f"{path} was not downloaded")


def splits_of(inputs: np.ndarray, targets: np.ndarray, classes: tuple[str, ...]) -> Splits:
    return Splits(Dataset(inputs, targets, classes, "data"))


@pytest.mark.parametrize(
    ("inputs", "targets", "classes", "message"),
    [
        (np.zeros((40, 1, 8, 8), np.uint8), np.zeros((40, 1), np.float32), (), "learns classes"),
        (
            np.zeros((40, 1, 4, 4, 4), np.uint8),
            np.zeros(40, np.int64),
            ("a", "b"),
            "learns pictures, series and tables",
        ),
        (np.zeros((20, 1, 8, 8), np.uint8), np.zeros(20, np.int64), ("a", "b"), "at least 32 samples"),
        (np.zeros((40, 1, 1, 3), np.uint8), np.zeros(40, np.int64), ("a", "b"), "too small"),
    ],
)
def test_says_what_it_cannot_learn(
    inputs: np.ndarray, targets: np.ndarray, classes: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "load", lambda *_, **__: splits_of(inputs, targets, classes))
    with pytest.raises(UsageError, match=message):
        live.live_page("data")


def test_a_large_data_set_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_BYTES", 64 * 100)
    train, validation = live._parts(digits(), "digits")
    assert (len(train), len(validation)) == (100, 100)
