"""Convolution of functions: against known integrals, NumPy, and the layer."""

from __future__ import annotations

import re

import numpy as np
import pytest

from striate.errors import UsageError
from striate.worksheets.continuous import convolution_page, convolve_functions


def test_two_boxes_make_a_triangle():
    found = convolve_functions("box", "box")
    np.testing.assert_allclose(found.result, np.maximum(0, 2 - np.abs(found.times)), atol=0.006)
    np.testing.assert_allclose(found.sums, np.maximum(0, 2 - np.abs(found.sum_times)), atol=found.spacing / 2)


def test_two_gaussians_make_a_wider_one():
    found = convolve_functions("gaussian", "exp(-t**2)", 0.25)
    expected = np.sqrt(np.pi / 2) * np.exp(-(found.times**2) / 2)
    np.testing.assert_allclose(found.result, expected, atol=2e-4)  # the ends beyond 3 are cut off
    assert found.error < 2e-4


@pytest.mark.parametrize("spacing", [0.2, 0.5, 1.5])
def test_sums_matrix_and_layer_agree(spacing):
    found = convolve_functions("ramp", "exponential", spacing)
    np.testing.assert_allclose(found.matrix @ found.samples[0], found.sums, atol=1e-12)
    np.testing.assert_allclose(found.layer(), found.sums, atol=1e-6)
    steps = [found.step(n) for n in range(len(found.sums))]
    np.testing.assert_allclose([step.products.sum() for step in steps], found.sums, atol=1e-12)


def test_the_page_is_whole():
    page = convolution_page(convolve_functions("exp(-t**2)", "box"))
    assert "@@" not in page
    assert "its 25 outputs differ" in page
    assert not re.search(r"https?://(?!www\.w3\.org)|src=", page)
    assert page.count("<h2>") == 4


def test_the_page_moves_in_a_browser(window, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(convolution_page(convolve_functions("box", "exponential")), "utf-8")
    window.open(page)
    window.run(
        "const time = document.getElementById('time'); time.value = 300; time.dispatchEvent(new Event('input'))"
    )
    assert window.run("return document.getElementById('now').textContent").startswith("t = 3.00, area")
    assert window.console() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("boxx", "box"), "convolve: function: unknown name 'boxx'; did you mean 'box'"),
        (("box", "u + 1"), "needs functions of t; got one of u"),
        (("box", "1/t"), "is not a finite number"),
        (("box", "box", 0.01), "spacing: must be from 0.2 to 1.5; got 0.01"),
    ],
)
def test_what_cannot_be_convolved(arguments, said):
    with pytest.raises(UsageError, match=said):
        convolve_functions(*arguments)
