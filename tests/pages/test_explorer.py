"""The page of a model in a real browser: numbers as the model's, and what a visitor can do."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.browser import served
from PIL import Image
from scipy.io import wavfile

from striate import Model, Sequential, layers, models
from striate.data.normalisation import Normalisation
from striate.errors import CapacityError, ShapeError, UsageError
from striate.explain.attribution import attribute
from striate.explain.tracing import trace
from striate.interop.writing import write
from striate.layers import Conv2d, Flatten, Linear
from striate.model.reading import read_inputs
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


VERDICT = "return striate.verdict.textContent"
RAW = "return Array.from(striate.raw)"
CHANGED = "striate.state.values.get('conv1').some((value, i) => value !== conv1Before[i])"


def opened(window: Browser, path: Path) -> None:
    window.open(path)
    window.until(READY)


def png(colour: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def test_drawing_goes_into_the_network_and_is_undone(window: Browser, tmp_path: Path) -> None:
    path = write(lenet(), tmp_path / "page.html")[0]
    assert path.stat().st_size < 1_000_000
    opened(window, path)
    first, sample = window.run(VERDICT), window.run(RAW)
    window.drag(".pad", [(-60, 14), (60, 14)])  # over the sample, through the middle of row 4
    window.until("!striate.busy && striate.edits.stack.length === 1")
    over = np.array(window.run(RAW)).reshape(8, 8)
    assert over[4, 2:6].min() > 140  # three quarters under the pen, less at the edges
    np.testing.assert_array_equal(over[[0, 1, 2, 6, 7]], np.array(sample).reshape(8, 8)[[0, 1, 2, 6, 7]])
    window.click("#input .choices button")  # clear
    window.drag(".pad", [(40, -40), (40, 60)])
    window.until("!striate.busy && striate.steps.length > 1")
    raw = np.array(window.run(RAW)).reshape(8, 8)
    assert raw.max() > 128
    assert raw[:, 3:5].sum() > 0.9 * raw.sum()  # centred
    for _ in range(3):
        window.answer("striate.edits.undo()")
    window.until("!striate.busy")
    assert window.run(RAW) == sample
    assert window.run(VERDICT) == first
    assert window.console() == []


def test_files_are_dropped_and_chosen(window: Browser, tmp_path: Path) -> None:
    opened(window, explorer.write(lenet(), tmp_path / "page.html"))
    window.drop("grey.png", png((255, 255, 255), (40, 20)))
    window.until("striate.steps.join().includes('40 × 20 pixels, stretched to 8 × 8')")
    assert set(window.run(RAW)) == {255}
    window.drop("text.png", b"no picture")
    window.until("document.body.innerText.includes('text.png: cannot be read as a picture')")
    (tmp_path / "black.png").write_bytes(png((0, 0, 0), (8, 8)))
    window.choose("input[type=file]", tmp_path / "black.png")
    window.until("!striate.raw.some(Boolean) && !striate.busy")
    rng = np.random.default_rng(4)
    picture = Image.fromarray(rng.integers(0, 256, (23, 37, 3)).astype(np.uint8))
    picture.save(tmp_path / "noise.png")
    window.drop("noise.png", (tmp_path / "noise.png").read_bytes())
    window.until("striate.steps.join().includes('37 × 23')")
    expected = read_inputs(lenet(), tmp_path / "noise.png").inputs.ravel()
    np.testing.assert_allclose(window.run(RAW), expected, atol=2.0)  # as in training
    assert window.console() == []


def test_values_weights_and_pixels(window: Browser, tmp_path: Path) -> None:
    opened(window, explorer.write(lenet(), tmp_path / "page.html"))
    window.click("#layer-conv1 canvas", 3, 3)
    window.until("document.getElementById('detail').dataset.layer === 'conv1'")
    sum_, value = window.run("const d = document.getElementById('detail').dataset; return [d.sum, d.value]")
    assert abs(float(sum_) - float(value)) <= 1e-5 * max(1.0, abs(float(value)))
    window.press("\ue014")  # the arrow to the right
    window.run("window.conv1Before = striate.state.values.get('conv1').slice(); return 0")
    window.click("#detail .trio figure:nth-of-type(2) .acting")  # a weight of the kernel
    window.until("document.querySelector('dialog[open]')")
    window.press("5\ue007")
    window.until("!striate.busy && striate.edits.stack.length === 1")
    assert window.run(f"return {CHANGED}")
    window.press("z", held="\ue009")  # Ctrl+Z
    window.until("!striate.busy && striate.edits.stack.length === 0")
    assert not window.run(f"return {CHANGED}")
    window.answer("striate.editInput([0, 2, 2], 77)")
    assert window.run("return striate.raw[18]") == 77
    window.answer("striate.edits.undo()")
    window.run(
        "[...document.querySelectorAll('#detail button')].find((b) => b.textContent.includes('follow')).click()"
    )
    assert window.run("return document.querySelectorAll('.path li').length") == 2
    for method in ("gradient-x-input", "integrated-gradients", "occlusion"):
        window.run(
            "[...document.querySelectorAll('[value]')].find((b) => b.value === arguments[0]).click()", method
        )
        window.until(f"!striate.busy && striate.map && striate.method === '{method}'")
    assert window.console() == []


def test_the_camera_gives_pictures(window: Browser, tmp_path: Path) -> None:
    explorer.write(lenet(), tmp_path / "page.html")
    with served(tmp_path) as address:  # no camera on pages of the disk
        window.visit(f"{address}/page.html")
        window.until(READY)
        camera = "[...document.querySelectorAll('button')].find((b) => b.textContent === 'camera')"
        window.run(f"{camera}.click()")
        window.until("striate.steps.join().includes('640 × 480 pixels')")
        window.run(f"{camera}.click()")
        window.until(f"{camera}.getAttribute('aria-pressed') === 'false'")
    assert window.console() == []


def table_model() -> Model:
    columns = [
        {"name": "age", "categories": [], "fill": 40.0},
        {"name": "colour", "categories": ["red", "blue"], "fill": None},
    ]
    table = {"columns": columns, "labels": ["price"], "ignored": [], "named": True, "shape": [3, 1]}
    metadata = {"preparation": {"table": table}, "target_names": ["price"], "loss_function": "mean_squared_error"}
    units = Normalisation((100.0,), (0.1,))
    return model_of(
        Sequential([Flatten(), Linear(4), layers.Tanh(), Linear(1)], (3, 1)),
        metadata=metadata,
        target_normalisation=units,
        normalisation=Normalisation((40.0, 0.5, 0.5), (10.0, 0.5, 0.5)),
    )


def test_tables_have_sliders_words_and_units(window: Browser, tmp_path: Path) -> None:
    model = table_model()
    opened(window, explorer.write(model, tmp_path / "page.html"))
    window.run("const f = document.querySelector('[aria-label=\"age, exactly\"]'); f.focus(); f.select()")
    window.press("61")
    window.run("const f = document.querySelector('select'); f.value = '1'; f.dispatchEvent(new Event('change'))")
    window.until("!striate.busy && striate.raw[2] === 1 && striate.raw[0] === 61")
    shown = float(window.run(VERDICT).replace("−", "-"))
    expected = model.predict(np.array([[[61.0], [0.0], [1.0]]], np.float32))
    np.testing.assert_allclose(shown, np.ravel(expected)[0], rtol=1e-3)
    window.run("striate.attribute('gradient')")
    window.until("!striate.busy && striate.map")
    slopes = attribute(model, np.array([[61.0], [0.0], [1.0]], np.float32), "gradient", target=0).values.ravel()
    unit = model.target_normalisation.scale[0]
    np.testing.assert_allclose(window.run("return Array.from(striate.map)"), slopes * unit, rtol=1e-4)
    assert "red raises price" in window.run("return document.getElementById('input').innerText")
    window.answer("striate.edits.undo()")
    assert window.run("return [striate.raw[1], document.querySelector('select').value]") == [1, "0"]
    assert window.console() == []


def test_texts_are_typed(window: Browser, tmp_path: Path) -> None:
    words = {"text": {"words": ["ship", "don't", "été"], "length": 8}}
    network = models.text_cnn(3, (1, 8), entries=5)
    model = model_of(network, metadata={"preparation": words}, classes=["sea", "wood", "air"], normalisation=None)
    opened(window, explorer.write(model, tmp_path / "page.html"))
    window.click("textarea")
    window.press("A Ship, Don't! (été 42)")
    window.until("!striate.busy && striate.steps.join() === '5 words,2 not in the vocabulary, shown as ?'")
    (tmp_path / "new.txt").write_text("A Ship, Don't! (été 42)")
    expected = model.predict_proba(str(tmp_path / "new.txt"))[0]
    assert window.run(RAW) == [1, 2, 3, 4, 1, 0, 0, 0]
    assert f"{model.classes[int(expected.argmax())]}, {100 * expected.max():.1f}\xa0%" in window.run(VERDICT)
    window.run("striate.attribute('occlusion')")
    window.until("!striate.busy && striate.map")
    assert window.run("return document.querySelector('.words').innerText") == "? ship don't été ?"
    drops = np.array(window.run("return Array.from(striate.map)"))
    without = [np.where(np.arange(8) == n, 0.0, [[1, 2, 3, 4, 1, 0, 0, 0]]) for n in range(8)]
    scores = model.scores(np.array([[[1, 2, 3, 4, 1, 0, 0, 0]], *without], np.float32))[:, expected.argmax()]
    np.testing.assert_allclose(drops, scores[0] - scores[1:], atol=1e-4)
    window.answer("striate.edits.undo()")
    assert window.run("return document.querySelector('textarea').value") == ""
    typed = "const t = document.querySelector('textarea'); t.value = 'ship '.repeat(9);"
    window.run(f"{typed} t.dispatchEvent(new Event('input'))")
    window.until("!striate.busy && striate.steps.join() === '9 words, of which the network reads the first 8'")
    assert window.console() == []


def test_symbols_without_words_come_from_samples(window: Browser, tmp_path: Path) -> None:
    opened(
        window,
        explorer.write(model_of(models.text_cnn(3, (1, 8), entries=5), normalisation=None), tmp_path / "page.html"),
    )
    assert "holds no vocabulary" in window.run("return document.getElementById('input').innerText")
    assert window.console() == []


def test_series_are_dragged_and_dropped(window: Browser, tmp_path: Path) -> None:
    model = model_of(models.signal_cnn(4, (1, 400)), metadata={"preparation": {"rate": 8000}})
    opened(window, explorer.write(model, tmp_path / "page.html"))
    before = window.run(RAW)
    window.drag(".curve", [(-100, 20), (0, 20)])
    window.until("!striate.busy && striate.edits.stack.length === 1")
    moved = np.flatnonzero(np.array(window.run(RAW)) != np.array(before))
    assert 100 < len(moved) < 200
    window.drop("numbers.csv", "\n".join(map(str, range(400))).encode())
    window.until("!striate.busy && striate.raw[399] === 399")
    window.drop("short.csv", b"1,2,3")
    window.until("document.body.innerText.includes('short.csv: needs 1 × 400 numbers; got 3')")
    wavfile.write(tmp_path / "tone.wav", 8000, np.full(1000, 16384, np.int16))
    window.drop("tone.wav", (tmp_path / "tone.wav").read_bytes())
    window.until("!striate.busy && striate.steps.join().includes('the first 0.05 s of 0.13')")
    np.testing.assert_allclose(window.run(RAW), 0.5, atol=1e-3)
    assert window.console() == []


def test_segmentation_shows_the_class_of_every_pixel(window: Browser, tmp_path: Path) -> None:
    model = model_of(
        Sequential([Conv2d(3, 3, padding="same"), layers.Softmax()], (1, 12, 10)),
        classes=["road", "car", "sky"],
        metadata={"targets": "classes"},
    )
    opened(window, explorer.write(model, tmp_path / "page.html"))
    sample = np.random.default_rng(3).uniform(0, 255, (1, 12, 10)).astype(np.float32)
    window.answer("striate.input.enter(Float32Array.from(arguments[0]))", sample.ravel().tolist())
    window.until("!striate.busy")
    outputs = np.asarray(model.outputs(sample[None]))[0]
    assert window.run("return striate.meaning.indices") == outputs.argmax(0).ravel().tolist()
    window.click(".mask")
    window.until("!striate.busy && striate.target !== null")
    target = window.run("return striate.target")
    assert target % 120 in {6 * 10 + 5, 5 * 10 + 5, 6 * 10 + 4, 5 * 10 + 4}
    window.run("striate.attribute('gradient')")
    window.until("!striate.busy && striate.map")
    seen = np.flatnonzero(window.run("return Array.from(striate.map)"))
    assert len(seen) == 9  # the window of one pixel
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
    with pytest.raises(ShapeError, match="samples must be 1 x 28 x 28, as lenet5 takes them; got 1 x 8 x 8"):
        explorer.explorer_page(model_of(models.lenet5(10, (1, 28, 28))), "digits")
