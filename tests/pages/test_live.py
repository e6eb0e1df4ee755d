"""The page that trains, in a real browser: the same steps as the native engine, and a model that opens."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import numpy as np
import pytest

import striate
from striate import Model, Sequential, Trainer, layers
from striate.data.dataset import Dataset
from striate.data.digits import digits
from striate.data.splits import Splits
from striate.engine.training_session import TrainingSession
from striate.errors import CapacityError, ShapeError, UsageError
from striate.network import Network
from striate.pages import live, offer, problem
from striate.pages.offer import Offer
from striate.pages.training_programs import BATCH, OPTIMIZERS
from striate.storage.atomic import write_atomically
from striate.targets import parcel
from striate.training.initialisation import initialise
from striate.training.optimizers import optimizer
from support.browser import Browser

KEY = "8,3,tanh,average,16,64"
STEPS = 5


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live.write("digits", tmp_path_factory.mktemp("page") / "learn.html")


def native_losses(found: problem.Problem, theta: np.ndarray, name: str) -> tuple[list[float], np.ndarray]:
    """Return the losses of the engine's first steps, and the parameters after them."""
    model, job, chosen = found.model, found.job, optimizer(name)
    inputs, targets = job.train.inputs, job.plan.targets
    session = TrainingSession(
        model.network, batch_size=BATCH, loss=job.loss, optimizer=chosen.kernel, dtype=inputs.dtype, threads=1
    )
    session.vectors.theta[: len(theta)] = theta
    session.vectors.states[: model.network.state_count] = model.network.initial_states()
    session.normalise(np.asarray(job.normalisation.mean), np.asarray(job.normalisation.scale))
    losses = []
    for step in range(STEPS):
        index = np.arange(step * BATCH, (step + 1) * BATCH)
        numbers = chosen.numbers(step + 1, chosen.learning_rate)
        of_samples, _ = session.step(inputs, index, targets[index], numbers, number=step)
        losses.append(float(of_samples.mean()))
    return losses, session.vectors.theta[: len(theta)].copy()


def check_steps(window: Browser, key: str, found: problem.Problem, name: str = "adam") -> None:
    """Take the same steps in the open page and in the engine."""
    theta, _ = initialise(found.model.network, "lecun", 0)
    losses, after = native_losses(found, theta, name)
    page_losses, parameters = window.answer(
        "(async ([key, theta, optimizer, learningRate, steps]) => { const call = striate.worker.call;"
        "const { chosen } = striate.network;"
        "Object.keys(chosen).forEach((name, i) => { chosen[name] = key.split(',')[i]; });"
        "await striate.begin(); await call('settings', { optimizer, learningRate });"
        "await call('begin', Float32Array.from(theta)); const losses = await call('steps', steps);"
        "return [losses, [...(await call('look', 0)).parameters]]; })(arguments[0])",
        [key, theta.tolist(), name, optimizer(name).learning_rate, STEPS],
    )
    np.testing.assert_allclose(page_losses, losses, rtol=1e-4)
    moved = np.abs(after - theta).max()
    assert moved > 0
    assert np.mean(np.abs(np.array(parameters)[: len(after)] - after)) <= 1e-3 * moved
    assert window.console() == []


def problem_of(network: Network | Model, data: Splits) -> problem.Problem:
    train, validation = problem.reduced(data, "data")
    return problem.Problem.of(network, train, validation, {})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_takes_the_steps_of_the_native_engine(window: Browser, page: Path, name: str) -> None:
    window.open(page)
    window.until("window.striate && striate.ready")
    network = offer.usual(digits().train).networks[KEY]
    check_steps(window, KEY, problem_of(network, digits()), name)


def numbers(count: int = 200) -> Splits:
    """Return a table with two numbers to predict, on scales of their own."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(count, 6)).astype(np.float32)
    targets = np.stack([100 + 20 * inputs[:, 0], inputs[:, 1] * inputs[:, 2]], axis=1).astype(np.float32)
    data = Dataset(inputs, targets, (), "prices", target_names=("price", "risk"))
    return Splits(data, data)


def discs(count: int = 160) -> Splits:
    """Return pictures with a bright disc, and the class of every pixel."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:12, :9]
    middle = rng.integers(3, 8, (2, count, 1, 1))
    masks = ((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < 6).astype(np.int64)
    inputs = (rng.integers(0, 100, (count, 1, 12, 9)) + 120 * masks[:, None]).astype(np.uint8)
    data = Dataset(inputs, masks, ("ground", "disc"), "discs")
    return Splits(data, data)


CUSTOM = [
    layers.Conv2d(6, 3),
    layers.BatchNorm(),
    layers.ReLU(),
    layers.Flatten(),
    layers.Linear(10),
    layers.Softmax(),
]
OTHERS = {
    "numbers": lambda: (numbers(), offer.usual(numbers().train).networks["8,16,tanh"]),
    "masks": lambda: (discs(), offer.usual(discs().train).networks["8,3,relu,1"]),
    "batch normalisation": lambda: (digits(), Sequential(CUSTOM, (1, 8, 8))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_takes_native_steps_of_other_problems_and_gives_models(window: Browser, tmp_path: Path, name: str) -> None:
    data, network = OTHERS[name]()
    page = live.page_of(data, "data", Offer({}, {"": network}))
    window.open(write_atomically(tmp_path / "learn.html", page.encode()))
    window.until("window.striate && striate.ready")
    check_steps(window, "", problem_of(network, data))
    window.answer("striate.steps(40)")
    window.answer("striate.looking.ask()")
    score = window.answer("striate.worker.call('evaluate').then((e) => e.score)")
    model = saved(window, tmp_path / "model.safetensors")
    held_out = problem.reduced(data, "data")[1]
    predicted = model.predict(held_out.inputs)
    native = abs(predicted - held_out.targets) if name == "numbers" else predicted == held_out.targets
    assert score == pytest.approx(np.mean(native), rel=1e-3)
    if name == "batch normalisation":  # its explanation uses the statistics as they are now
        window.run("striate._point(striate.state.layers.get('norm1'), [2, 1, 1], true)")
        states = window.answer("striate.worker.call('look', 0).then((found) => [...found.states])")
        np.testing.assert_allclose(states[: len(model.states)], model.states)
        assert window.run("return striate.state.layers.get('norm1').rule.mean[2]") == pytest.approx(model.states[2])
    assert window.console() == []


def test_begins_with_a_saved_model_or_anew(window: Browser, tmp_path: Path) -> None:
    trainer = Trainer(Sequential(CUSTOM, (1, 8, 8)))
    trainer.fit(digits().train, epochs=2)
    path = trainer.model.save(tmp_path / "model.safetensors")
    window.open(live.write("digits", tmp_path / "learn.html", network=str(path)))
    window.until("window.striate && striate.ready")
    score = "striate.worker.call('evaluate').then((e) => e.score)"
    expected = trainer.model.evaluate(digits().validation).accuracy
    assert window.answer(score) == pytest.approx(expected, abs=0.01)
    window.answer("striate.steps(5)")
    window.answer("striate.begin(2)")
    assert window.answer(score) == pytest.approx(expected, abs=0.01)
    window.run("striate.network.chosen.parameters = 'new'; return 0")
    window.answer("striate.begin()")
    assert window.answer(score) < 0.5
    assert "BatchNorm()" in window.run("return document.querySelector('ol.network').innerText")


def test_of_two_networks_chosen_at_once_the_last_is_trained(window: Browser, page: Path) -> None:
    window.open(page)
    window.until("window.striate && striate.ready")
    window.answer(
        "Promise.all(['16', '0', '8'].map((maps) => { striate.network.chosen.channels = maps === '0' ? '16' : maps;"
        "striate.network.chosen.second = maps === '0' ? '0' : '16'; return striate.begin(); }))"
    )
    assert window.run("return striate.ready && striate.state.key === striate.network.key")
    assert window.run("return striate.state.layers.get('conv1').shape[0]") == 8
    window.answer("striate.steps(1)")
    assert window.console() == []


def saved(window: Browser, path: Path) -> Model:
    text = window.answer(
        "striate.worker.call('save').then((b) => btoa(Array.from(b, (c) => String.fromCharCode(c)).join('')))"
    )
    path.write_bytes(base64.b64decode(text))
    return striate.load(path)


def test_learns_shows_it_and_gives_a_model_that_opens(window: Browser, page: Path, tmp_path: Path) -> None:
    assert page.stat().st_size < 1_000_000
    window.open(page)
    window.until("window.striate && striate.ready")
    window.run("document.querySelector('button.main').click()")
    window.until("striate.curves.points.length > 4 && striate.curves.points.at(-1)[0] > 400")
    window.run("document.querySelector('button.main').click()")
    window.until("!striate.running")
    right, facts = window.answer("striate.worker.call('evaluate').then((e) => [e.score, [e.epoch, e.step]])")
    assert right > 0.8
    assert window.run("return document.querySelectorAll('.predictions .right').length") > 25
    assert window.run("return document.querySelectorAll('.confusion td[title]').length") == 100
    model = saved(window, tmp_path / "model.safetensors")
    assert [model.metadata["epochs"], model.metadata["steps"]] == facts
    assert abs(model.evaluate(digits().validation).accuracy - right) < 0.01
    assert window.console() == []


@pytest.mark.parametrize("steps", [900, 60_000, 220_000, 360_000, 2_400_000])
def test_labels_of_many_steps_stand_apart(window: Browser, page: Path, steps: int) -> None:
    window.open(page)
    window.until("window.striate && striate.ready && striate.curves.plots && striate.curves.points.length")
    window.run(f"striate.curves.points = [[0, 1, 1, 0, 0], [{steps}, 1, 1, 0, 0]]; striate.curves.draw()")
    for width in (220, 300, 430):
        gaps = window.answer(
            "(async (width) => {"
            " const plot = striate.curves.plots[0], axis = plot.axes[0]; plot.setSize({ width, height: 170 });"
            " await Promise.resolve(); plot.ctx.font = axis.font[0];"  # uPlot draws in a microtask
            " const widths = axis._values.map((text) => plot.ctx.measureText(text).width / devicePixelRatio);"
            " const middles = axis._splits.map((step) => plot.valToPos(step, 'x'));"
            " return middles.slice(1).map((at, i) => at - middles[i] - (widths[i] + widths[i + 1]) / 2);"
            f"}})({width})"
        )
        assert gaps
        assert min(gaps) > 10


def test_another_network_begins_with_fresh_weights(window: Browser, page: Path) -> None:
    window.open(page)
    window.until("window.striate && striate.ready")
    before = window.run("return striate.network.counts.textContent")
    window.answer("striate.steps(3)")
    window.run(
        "const field = document.querySelector('.network select'); field.value = '16';"
        "field.dispatchEvent(new Event('change'))"
    )
    window.until(f"striate.ready && striate.network.counts.textContent !== {before!r}")
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
    window.answer("striate.steps(60)")
    right = window.answer("striate.worker.call('evaluate').then((e) => e.score)")
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
        (np.zeros((40, 1, 8, 8), np.uint8), np.eye(40, 3), ("a", "b", "c"), "call for the binary cross-entropy"),
        (
            np.zeros((40, 1, 4, 4, 4), np.uint8),
            np.zeros(40, np.int64),
            ("a", "b"),
            "learns pictures, series and tables",
        ),
        (np.zeros((20, 1, 8, 8), np.uint8), np.zeros(20, np.int64), ("a", "b"), "at least 32 training samples"),
        (np.zeros((40, 1, 1, 3), np.uint8), np.zeros(40, np.int64), ("a", "b"), "too small"),
    ],
)
def test_says_what_it_cannot_learn(
    inputs: np.ndarray, targets: np.ndarray, classes: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "load", lambda *_, **__: splits_of(inputs, targets, classes))
    with pytest.raises(UsageError, match=message):
        live.live_page("data")


def test_learns_texts_with_a_network_of_their_words(window: Browser, tmp_path: Path) -> None:
    for kind, words in {"sea": "a ship on the waves", "wood": "the tree of a hunter"}.items():
        (tmp_path / "texts" / kind).mkdir(parents=True)
        for number in range(30):
            (tmp_path / "texts" / kind / f"{number}.txt").write_text(words)
    window.open(live.write(tmp_path / "texts", tmp_path / "learn.html"))
    window.until("window.striate && window.striate.ready")
    losses = window.answer("striate.worker.call('steps', 30)")
    assert losses[-1] < 0.5 * losses[0]
    assert "Embedding(10, " in window.run("return document.body.innerText")  # words, the unknown one, padding
    assert window.console() == []


def test_a_large_data_set_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "MOST_BYTES", 68 * 100)  # 64 pixels and a target
    train, validation = problem.reduced(digits(), "digits")
    assert (len(train), len(validation)) == (100, 100)


def test_says_what_a_network_of_the_user_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, error, message in [
        ("lenet6", UsageError, "lenet6"),
        (str(tmp_path / "none.toml"), UsageError, "none.toml"),
    ]:
        with pytest.raises(error, match=message):
            live.live_page("digits", network=name)
    other = Model(Sequential([layers.Flatten(), layers.Linear(10), layers.Softmax()], (1, 9, 9)), np.zeros(820))
    with pytest.raises(ShapeError, match="takes samples of 1 x 9 x 9; got 1 x 8 x 8"):
        live.live_page("digits", network=str(other.save(tmp_path / "m.safetensors")))
    monkeypatch.setattr(parcel, "MOST_BYTES", 2**16)
    with pytest.raises(CapacityError, match="a page has 0 GB of memory"):
        live.live_page("digits", network="lenet5")
