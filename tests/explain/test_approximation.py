"""Networks of one hidden layer that learn a function."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from striate.errors import UsageError
from striate.explain.approximation import approximate
from striate.explain.draw_approximation import animated_approximation, draw_approximation


def test_more_units_come_closer():
    found = approximate("sin(2*x)", (1, 10), epochs=60, frames=3)
    one, ten = found.fits
    assert ten.train_error < 0.05 < one.train_error
    assert found.best is ten
    np.testing.assert_array_equal(found.truth, np.sin(2 * found.grid))
    rest = ten.curves[-1] - ten.pieces.sum(axis=0)
    assert np.ptp(rest) < 1e-5  # units and a constant are the whole network
    assert len(draw_approximation(found).figure.axes) == 3


def test_few_noisy_samples_are_overfitted():
    found = approximate("sin(2*x)", (3, 100), samples=15, noise=0.3, epochs=500, frames=1)
    three, many = found.fits
    assert many.train_error < three.train_error
    assert many.new_error > three.new_error
    assert "smallest on new samples" in str(found).splitlines()[2]


def test_the_animation_shows_every_frame():
    found = approximate("abs(x)", (2,), samples=20, epochs=4, frames=2, activation="relu")
    with Image.open(io.BytesIO(animated_approximation(found))) as film:
        assert film.n_frames == len(found.fits[0].curves) == len(found.frames)
    assert found.frames == (1, 4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: approximate("x + y"), "needs a function of x; got one of x, y"),
        (lambda: approximate("x", (0,)), "units: must be at least 1"),
        (lambda: approximate("x", window=(1, 0)), "from < to"),
        (lambda: approximate("x", activation="step"), "activation: unknown name 'step'"),
        (lambda: approximate("x", noise=-1), "noise"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(UsageError, match=said):
        call()
