"""Lost pixels: replaced by weighted means, explained, refused where nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.errors import ShapeError, UsageError
from striate.worksheets import repair
from striate.worksheets.repair import applicability


def photograph(channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (channels, 20, 15)), rng.random((20, 15)) < 0.4


def test_it_is_the_quotient_of_two_convolutions() -> None:
    picture, lost = photograph()
    found = repair(picture, lost, radius=4)
    weights, room = applicability(4), np.pad(~lost, 4).astype(float)
    padded = np.pad(np.where(lost, 0, picture), ((0, 0), (4, 4), (4, 4)))
    for row, column in np.argwhere(lost):
        certain = weights * room[row : row + 9, column : column + 9]
        for channel, values in zip(found.values, padded, strict=True):
            mean = (certain * values[row : row + 9, column : column + 9]).sum() / certain.sum()
            assert channel[row, column] == pytest.approx(mean, rel=1e-12)
    np.testing.assert_array_equal(found.values[:, ~lost], picture[:, ~lost])


def test_every_repaired_pixel_is_the_sum_of_its_terms() -> None:
    picture, lost = photograph()
    found = repair(picture, lost)
    for row, column in np.argwhere(lost):
        why = found.why(row, column)
        assert why.weights.sum() == pytest.approx(1.0)
        assert not lost[tuple(why.places.T)].any()
        np.testing.assert_allclose(why.weights @ why.known, found.values[:, row, column], rtol=1e-12)


def test_a_flat_picture_comes_back_exactly_and_lost_values_do_not_count() -> None:
    _, lost = photograph()
    picture = np.where(lost, 1e6, 7.0)
    np.testing.assert_allclose(repair(picture, lost).values, 7.0, rtol=1e-12)


def test_nan_marks_lost_pixels() -> None:
    picture, lost = photograph(1)
    picture[0][lost] = np.nan
    found = repair(picture[0])
    np.testing.assert_array_equal(found.lost, lost)
    assert np.isfinite(found.values).all()


def test_a_large_hole_gets_a_larger_radius() -> None:
    lost = np.zeros((21, 21), bool)
    lost[5:16, 5:16] = True
    found = repair(np.ones((21, 21)), lost)
    assert found.weights.shape == (25, 25)  # the middle is 6 pixels from the rim
    np.testing.assert_allclose(found.values, 1.0)


def test_the_largest_terms_are_written() -> None:
    text = str(repair([[1.0, 2.0, 3.0], [1.0, np.nan, 3.0], [1.0, 2.0, 3.0]], radius=1).why(1, 1))
    assert text.startswith("pixel 1, 1 is the weighted mean of 8 known pixels: 2\n  0.2075 * 2  (pixel 0, 1)")


@pytest.mark.parametrize(("arguments", "error", "rule"), [
    ({"picture": np.ones(3)}, ShapeError, "must be rows x columns, or channels x rows x columns; got 1 axes"),
    ({"picture": np.ones((3, 3))}, UsageError, "some pixels must be lost, and some known; got none lost"),
    ({"picture": np.ones((3, 3)), "lost": np.ones((3, 3))}, UsageError, "got all lost"),
    ({"picture": np.ones((3, 3)), "lost": np.ones((3, 2))}, ShapeError, "lost must be 3 x 3 as the picture; got 3"),
    ({"picture": np.full((2, 2), np.inf), "lost": np.eye(2)}, UsageError, "known pixels must be finite"),
    ({"picture": np.ones((9, 9)), "lost": np.pad(np.ones((5, 5)), 2), "radius": 2}, UsageError,
     "every lost pixel needs a known one within the radius; got 2, and one at 3 pixels"),
    ({"picture": np.ones((3, 3)), "lost": np.eye(3), "radius": 0}, UsageError, "radius"),
])  # fmt: skip
def test_what_cannot_be_repaired_is_refused(arguments: dict[str, Any], error: type[Exception], rule: str) -> None:
    with pytest.raises(error, match=rule):
        repair(**arguments)


def test_only_lost_pixels_say_why() -> None:
    found = repair(np.ones((3, 3)), np.eye(3))
    with pytest.raises(UsageError, match="pixel 0, 1 was not lost"):
        found.why(0, 1)
    with pytest.raises(UsageError, match="row"):
        found.why(3, 1)
