"""Every layer and every named network says what it computes: formula, paper, a place in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from striate.layers.base import Layer
from striate.layers.registry import LAYERS
from striate.models import MODELS

PAGES = Path(__file__).parents[2] / "docs"


def pages(folder: str) -> str:
    return "\n".join(page.read_text("utf-8") for page in sorted((PAGES / folder).glob("*.md")))


@pytest.mark.parametrize("name", LAYERS)
def test_layers_state_their_formula(name: str) -> None:
    own = [cls.__doc__ or "" for cls in LAYERS[name].__mro__ if issubclass(cls, Layer) and cls is not Layer]
    assert re.search(r"``[^`]*[=*+/(][^`]*``|``(1|x)``", "\n".join(own))


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"InputLayer"}))
def test_layers_stand_in_the_documentation(name: str) -> None:
    stem = re.sub("[123]d$", "", name)
    assert re.search(rf"\b{stem}(?:[123]d|\b)", pages("layers"))


@pytest.mark.parametrize("name", MODELS)
def test_networks_cite_their_paper_and_stand_in_the_documentation(name: str) -> None:
    assert re.search(r"\((1[89]|20)\d\d\)", MODELS[name].__doc__ or "")
    assert f".{name}\n" in pages("api") + "\n"
