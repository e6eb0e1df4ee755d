"""Every page of the documentation does what it shows, and shows all that it should."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from striate import layers

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
LESSONS = [page for page in PAGES if page.startswith("lessons/") and page != "lessons/sources.md"] + [
    "neocognitron.md"
]
UNITS = [(1e9, " billion"), (1e6, " million")]
EXAMPLES = [
    "params-mlp-regression",
    "params-mlp-6-classes",
    "params-mnist-logistic",
    "params-mnist-mlp",
    "params-fc-rgb200",
    "params-fc-rgb1024",
    "corr1d-valid",
    "corr1d-same",
    "conv1d-true",
    "corr2d-5x5",
    "corr2d-5x5-k3",
    "corr2d-5x5-stride2",
    "corr2d-5x5-same",
    "corr2d-3x3",
    "corr2d-4x6-stride2-pad1",
    "maxpool-6x6",
    "maxpool-4x6",
    "size-alexnet-conv1",
    "size-lenet",
    "params-lenet-max",
    "params-digit-recognizer",
    "shape-conv1d",
    "shape-conv2d",
    "chain-rule",
    "logistic-least-squares",
    "toeplitz",
    "xor",
    "bandit",
    "noise",
    "shifted-digit",
    "fully-connected-against-convolutional",
]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras with PyTorch
@pytest.mark.parametrize("page", PAGES)
def test_page_does_what_it_shows(page: str, execution: ModuleType) -> None:
    outcome = execution.run_page(DOCS / page)
    assert not outcome.problems, "\n".join(outcome.problems)
    shown = re.findall(r"\]\(([^)/]+\.(?:svg|png|gif|html))\)", outcome.text)
    assert set(shown) == set(outcome.pictures)


@pytest.mark.parametrize("page", LESSONS)
def test_every_number_in_a_sentence_is_computed_or_quoted(page: str, evidence: ModuleType) -> None:
    found = evidence.unexplained((DOCS / page).read_text("utf-8"), evidence.quotations(Path(page).name))
    assert not found, "\n".join(map(str, found))


def test_published_counts_have_a_source(evidence: ModuleType) -> None:
    text = (DOCS / "lessons/architectures.md").read_text("utf-8")
    rows = re.search(r"^published = \[.*?^\]", text, re.M | re.S)
    assert rows is not None
    quoted = evidence.quotations("architectures.md")
    stated = re.findall(r", ([\d.e_]+)(?=[,)])", rows[0])
    assert len(stated) >= 10
    for number in stated:
        value = float(number)
        unit, name = next(((unit, name) for unit, name in UNITS if value >= unit), (1, ""))
        assert f" {value / unit:,g}{name} " in quoted, number


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_worked_example_is_in_one_lesson(example: str) -> None:
    places = [page for page in (DOCS / "lessons").glob("*.md") if f"#{example} }}" in page.read_text("utf-8")]
    assert len(places) == 1


def test_every_layer_is_explained() -> None:
    text = "\n".join(page.read_text("utf-8") for page in (DOCS / "layers").glob("*.md"))
    named = set(re.findall(r"`(\w+)`", text))
    assert set(layers.__all__) - {"Layer", "Node"} <= named


def test_every_page_is_in_the_contents() -> None:
    contents = (DOCS.parent / "mkdocs.yml").read_text("utf-8")
    listed = re.findall(r"^\s+- .*?([\w/-]+\.md)$", contents.partition("\nnav:")[2], re.M)
    assert sorted(listed) == PAGES
