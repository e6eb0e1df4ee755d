"""What notebooks show: one piece of HTML for each object, well formed and escaped; and a short text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from striate import Dataset, Trainer, worksheets
from striate.data.splits import Splits
from striate.data.tables import Schema
from striate.data.tables.columns import Column
from striate.data.text import Vocabulary
from striate.explain import attribute, draw_network, gradient_path, invariance, loss_line, loss_plane, trace
from striate.layers import Conv2d, Flatten, Linear, ReLU, Softmax
from striate.network import Sequential
from striate.training.learning_rate_finder import find_learning_rate

EMPTY = {"img", "br"}


class Checker(HTMLParser):
    """Raises where an element is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def objects() -> dict[str, object]:
    rng = np.random.default_rng(0)
    data = Dataset(rng.integers(0, 255, (30, 1, 6, 6)).astype(np.uint8), np.arange(30) % 2, ("a<b", "c"), "noise")
    trainer = Trainer(Sequential([Conv2d(2, 3), ReLU(), Flatten(), Linear(2), Softmax()], (1, 6, 6)))
    history = trainer.fit(data, data, epochs=2)
    found = trace(trainer.model, data.inputs[0])
    regression = Trainer(Sequential([Linear(1)], 4))
    numbers = Dataset(rng.normal(size=(20, 4)), rng.normal(size=(20, 1)))
    regression.fit(numbers, epochs=1)
    return {
        "network": trainer.network,
        "model": trainer.model,
        "history": history,
        "evaluation": trainer.model.evaluate(data),
        "regression": regression.model.evaluate(numbers),
        "why": found.why("linear1", feature=0),
        "trace": found,
        "splits": Splits(data, None, data),
        "data set": data,
        "numbers": numbers,
        "attribution": attribute(trainer.model, data.inputs[0], "gradient"),
        "invariance": invariance(trainer.model, data.inputs[0], "shift", [-1, 0, 1]),
        "gradient path": gradient_path(found, "linear1.bias", 0, target=1),
        "field": found.field("conv1", (0, 1, 1)),
        "rates": find_learning_rate(trainer, data, steps=12),
        "line": loss_line(trainer.model, data, points=3),
        "plane": loss_plane(trainer.model, data, points=3),
        "descent": worksheets.descend("ravine", steps=3),
        "filtered": worksheets.convolve([1, 2, 3, 4], [1, -1]),
        "pooled": worksheets.pool([[1, 2], [3, 4]], 2),
        "matrix": worksheets.toeplitz([1, -1], 4),
        "checked": worksheets.check("2 * 3 = 7"),
        "diagram": draw_network(trainer.network),
    }


SHOWN = {
    "network": "conv1", "model": "a<b", "history": "validation", "evaluation": "predicted",
    "regression": "predicted", "why": "(a<b)", "trace": "linear1", "splits": "training", "data set": "a<b",
    "numbers": "20 samples", "attribution": "gradient for", "invariance": "shift", "gradient path": "linear1.bias",
    "field": "conv1", "rates": "suggested rate", "line": "loss", "plane": "loss over 3 x 3", "descent": "lowest",
    "filtered": "cross-correlation", "pooled": "max pooling", "matrix": "matrix of 3 x 4", "checked": "wrong in 1",
}  # fmt: skip


def test_splits_show_words_and_the_names_of_columns() -> None:
    vocabulary = Vocabulary(("sea", "ship"), 3)
    texts = Dataset(np.array([[[2, 3, 0]], [[1, 2, 0]]], np.uint8), np.array([0, 1]), ("a", "b"), symbols=4)
    page = Splits(texts, None, None, preparation={"text": vocabulary.to_dict()})._repr_html_()
    assert "<td>sea ship</td>" in page
    assert "<td>? sea</td>" in page
    schema = Schema((Column("age", fill=3.0), Column("town", ("Bern", "Köln"))), ("y",), (), True, (3, 1))
    rows = Dataset(np.ones((2, 3, 1), np.float32), np.array([0, 1]), ("a", "b"))
    page = Splits(rows, None, None, preparation={"table": schema.to_dict()})._repr_html_()
    assert re.search(r"<th[^>]*>age</th><th[^>]*>town=Bern</th><th[^>]*>town=Köln</th>", page)


@pytest.mark.parametrize("name", SHOWN)
def test_notebooks_show_html(objects: dict[str, object], name: str) -> None:
    html = objects[name]._repr_html_()  # type: ignore[attr-defined]
    checker = Checker()
    checker.feed(html.encode().decode())  # a plain text: Markup escapes what is added to it
    assert checker.open == []
    assert "<b</" not in html
    assert SHOWN[name] in checker.text
    assert ".striate svg text { font-size: 11px; fill: currentColor; }" in html  # readable on dark ground


def test_layers_are_named_once(objects: dict[str, object]) -> None:
    html = objects["network"]._repr_html_()  # type: ignore[attr-defined]
    assert "<td>conv1</td><td>Conv2d(2, 3)</td>" in html


@pytest.mark.parametrize("name", sorted(SHOWN.keys() - {"network"}))
def test_texts_are_short(objects: dict[str, object], name: str) -> None:
    assert len(repr(objects[name])) < 120
    assert "array" not in repr(objects[name])


def test_drawings_are_shown_as_pictures(objects: dict[str, object]) -> None:
    for name in ("diagram", "attribution", "descent", "rates"):
        assert "data:image/svg+xml" in objects[name]._repr_html_()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (
            Dataset(np.ones((2, 3, 1), np.float32), np.array([[1234.5], [2.0]], np.float32)),
            ["<td>1234.5</td>", "inputs"],
        ),
        (Dataset(np.ones((2, 1, 9), np.float32), np.array([1, 0]), ("a", "b"), symbols=4), ["<td>b</td>", "..."]),
        (
            Dataset(np.ones((2, 1, 4, 4), np.float32), np.array([[1.0, 1.0], [0, 0]]), ("on", "off")),
            ["on, off", "no label"],
        ),
        (Dataset(np.ones((2, 1, 4, 4), np.float32), np.eye(4, dtype=int)[None].repeat(2, 0), ("x", "y")), ["x, y"]),
    ],
)
def test_what_is_no_picture_is_shown_as_numbers_and_words(data, wanted):
    shown = data._repr_html_()
    assert all(text in shown for text in wanted)
