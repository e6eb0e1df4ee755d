"""The page of a model in a real browser: numbers as the model's, and what a visitor can do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from striate import Model, Sequential, layers, models
from striate.data.normalisation import Normalisation
from striate.errors import CapacityError, UsageError
from striate.explain.attribution import attribute
from striate.explain.tracing import trace
from striate.interop.formats import write
from striate.layers import Conv2d, Flatten, Linear
from striate.network import Network
from striate.pages import explorer
from striate.targets import parcel
from striate.training.initialisation import initialise
from support.browser import Browser

READY = "window.striate && window.striate.raw && !window.striate.busy"


def model_of(network: Network, **options: object) -> Model:
    rng = np.random.default_rng(1)
    theta, _ = initialise(network, "lecun", 0)
    states = (network.initial_states() + rng.uniform(0.0, 0.3, network.state_count)).astype(np.float32)
    channels = network.input_shape[0]
    options.setdefault("normalisation", Normalisation((120.0,) * channels, (64.0,) * channels))
    return Model(network, (theta + 0.02 * rng.normal(size=theta.shape)).astype(np.float32), states, **options)


def lenet(**options: object) -> Model:
    return model_of(models.lenet5(10, (1, 8, 8)), metadata={"data": "digits"}, **options)


NETWORKS = {
    "lenet5": lambda: models.lenet5(10, (1, 28, 28)),
    "photo_cnn": lambda: models.photo_cnn(3, (3, 32, 32)),
    "signal_cnn": lambda: models.signal_cnn(4, (2, 120)),
    "others": lambda: Sequential(
        [Conv2d(6, 3, padding="same"), layers.BatchNorm(), layers.PReLU(), layers.LocalResponseNorm(3),
         layers.GELU(), layers.AvgPool2d(2), Conv2d(6, 3, groups=2), layers.Dropout(), layers.GroupNorm(2),
         Flatten(), Linear(5), layers.LogSoftmax()],
        (4, 14, 13),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_every_number_is_that_of_the_model(window: Browser, tmp_path: Path, name: str) -> None:
    model = model_of(NETWORKS[name]())
    window.open(explorer.write(model, tmp_path / "page.html"))
    window.until(READY)
    sample = np.random.default_rng(2).uniform(0.0, 255.0, model.input_shape).astype(np.float32)
    values = window.answer(
        "striate.source.run(Float32Array.from(arguments[0])).then(({ values }) => "
        "Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Array.from(v)])))",
        sample.ravel().tolist(),
    )
    expected = trace(model, sample)
    for layer in expected:
        size = np.abs(expected[layer]).max()
        np.testing.assert_allclose(values[layer], expected[layer].ravel(), rtol=0, atol=1e-4 * size, err_msg=layer)
    found = window.answer(
        "striate.source.gradients(Float32Array.from(arguments[0]), Float32Array.of(1), 1).then((g) => [...g])",
        sample.ravel().tolist(),
    )
    slopes = attribute(model, sample, "gradient", target=1).values.ravel()
    np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-4 * np.abs(slopes).max())
    assert window.console() == []


def test_what_a_visitor_does(window: Browser, tmp_path: Path) -> None:
    path = write(lenet(), tmp_path / "page.html")[0]
    assert path.stat().st_size < 1_000_000
    window.open(path)
    window.until(READY)
    first = window.run("return striate.verdict.textContent")
    draw = """
      const pad = document.querySelector('.pad'), area = pad.getBoundingClientRect();
      const at = (type, x, y) => pad.dispatchEvent(new PointerEvent(type, { pointerId: 1, buttons: 1, bubbles: true,
        clientX: area.left + x * area.width, clientY: area.top + y * area.height }));
      pad.setPointerCapture = () => {};
      pad.hasPointerCapture = () => true;
      at('pointerdown', 0.5, 0.2);
      for (let i = 0; i <= 10; i++) at('pointermove', 0.5, 0.2 + 0.06 * i);"""
    window.run(draw)
    window.until("striate.raw.reduce((a, b) => a + b) > 0 && !striate.busy && striate.steps.length > 1")
    raw = np.array(window.run("return Array.from(striate.raw)")).reshape(8, 8)
    assert raw.max() > 100
    assert raw[:, 3:5].sum() > 0.9 * raw.sum()
    window.hover("#layer-conv1 canvas", 3, 3)
    window.until("document.getElementById('detail').dataset.layer === 'conv1'")
    sum_, value = window.run("const d = document.getElementById('detail').dataset; return [d.sum, d.value]")
    assert abs(float(sum_) - float(value)) <= 1e-5 * max(1.0, abs(float(value)))
    before = window.run("return Array.from(striate.state.values.get('conv1'))")
    window.answer("striate.editParameter(0, '', 5)")
    changed = window.run("return Array.from(striate.state.values.get('conv1'))")
    assert changed != before
    window.answer("striate.edits.undo()")
    assert window.run("return Array.from(striate.state.values.get('conv1'))") == before
    window.answer("striate.editInput([0, 2, 2], 255)")
    assert window.run("return striate.raw[18]") == 255
    for method in ("gradient-x-input", "integrated-gradients", "occlusion"):
        window.run("striate.attribute(arguments[0])", method)
        window.until("!striate.busy && striate.map")
    window.run("document.querySelector('.samples button').click()")
    window.until("!striate.busy && striate.steps.length === 0")
    assert window.run("return striate.verdict.textContent") == first
    assert window.console() == []


def test_integrated_gradients_add_up_to_the_rise_of_the_score(window: Browser, tmp_path: Path) -> None:
    window.open(explorer.write(lenet(), tmp_path / "page.html"))
    window.until(READY)
    window.run("striate.attribute('integrated-gradients')")
    window.until("!striate.busy && striate.map")
    found, rise = window.answer(
        "(async () => { const s = striate, base = new Float32Array(64).fill(120), t = s.target ?? s.meaning.index;"
        "const both = new Float32Array([...s.raw, ...base]), [a, b] = await s.source.scores(both, t);"
        "return [s.map.reduce((x, y) => x + y), a - b]; })()"
    )
    assert abs(found - rise) <= 0.05 * abs(rise)


def test_the_page_asks_for_nothing_and_allows_no_other_script() -> None:
    page = explorer.explorer_page(lenet())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in page
    assert "unsafe-eval'" not in policy[1].replace("wasm-unsafe-eval", "")
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_names_cannot_leave_the_page() -> None:
    page = explorer.explorer_page(lenet(classes=["</script><b>", *map(str, range(9))]))
    assert "</script><b>" not in page


def test_says_which_layer_has_no_kernels() -> None:
    class Cube(layers.Layer):
        kind = "cube"

        def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
            return inputs[0]

    with pytest.raises(UsageError, match=r"cube1 \(Cube\).*striate serve"):
        explorer.explorer_page(model_of(Sequential([Cube(), Linear(1)], (3,))))


def test_says_what_a_model_would_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MOST_BYTES", 2**16)
    with pytest.raises(CapacityError, match="a page has 0 GB of memory"):
        explorer.explorer_page(lenet())


def test_samples_must_fit_the_model() -> None:
    with pytest.raises(UsageError, match="the model takes 1 x 28 x 28; got samples of 1 x 8 x 8"):
        explorer.explorer_page(model_of(models.lenet5(10, (1, 28, 28))), "digits")
