"""Template search against brute force, and convolution matrices against convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import ShapeError, UsageError
from striate.reference.convolution import correlate
from striate.worksheets.matrix import draw_toeplitz, toeplitz
from striate.worksheets.template import draw_template_search, template_search

# Template search


def brute_force(picture, patch):
    size = patch.shape[-2:]
    out = np.zeros((picture.shape[-2] - size[0] + 1, picture.shape[-1] - size[1] + 1))
    b = patch - patch.mean()
    for row, column in np.ndindex(out.shape):
        a = picture[..., row : row + size[0], column : column + size[1]]
        a = a - a.mean()
        norm = np.sqrt((a**2).sum() * (b**2).sum())
        out[row, column] = (a * b).sum() / norm if norm > 1e-9 else 0
    return out


@pytest.mark.parametrize("shape", [(12, 15), (3, 12, 15)])
@pytest.mark.parametrize("size", [(4, 3), (1, 5), (12, 15)])
def test_scores_against_brute_force(shape, size):
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, shape).astype(np.uint8)
    patch = random.integers(0, 256, (*shape[:-2], *size))
    found = template_search(picture, patch)
    np.testing.assert_allclose(found.scores, brute_force(picture.astype(float), patch), atol=1e-12)
    assert found.best.score == pytest.approx(found.scores.max(), abs=1e-12)


def test_a_patch_is_found_brighter_and_with_more_contrast():
    picture = np.random.default_rng(5).random((40, 50))
    found = template_search(picture, 3 * picture[20:28, 31:38] + 10, best=3)
    assert (found.best.row, found.best.column, found.best.score) == (20, 31, 1.0)
    assert [match.score for match in found.matches] == sorted((m.score for m in found.matches), reverse=True)
    assert "20,    31: 1.0000" in str(found)


def test_matches_do_not_crowd():
    picture = np.zeros((20, 20))
    for row, column in ((2, 3), (12, 11)):
        picture[row : row + 4, column : column + 4] = np.arange(16).reshape(4, 4)
    found = template_search(picture, np.arange(16).reshape(4, 4), best=2)
    assert {(match.row, match.column) for match in found.matches} == {(2, 3), (12, 11)}
    assert len(template_search(picture[:5, :5], np.arange(16).reshape(4, 4), best=99).matches) == 1


def test_flat_places_score_nothing():
    picture = np.full((8, 8), 7.3)
    picture[0, 0] = 9
    scores = template_search(picture, [[1, 2], [3, 4]]).scores
    assert np.count_nonzero(scores) == 1


def test_template_search_is_drawn():
    picture = np.random.default_rng(5).random((3, 20, 30))
    found = template_search(picture, picture[:, 4:9, 6:12], best=3)
    axes = draw_template_search(picture, found)
    assert len(axes.patches) == 3
    assert axes.patches[0].get_xy() == (5.5, 3.5)
    assert axes.texts[0].get_text() == "1: 1.00"
    assert draw_template_search(picture[0], template_search(picture[0], picture[0, :5, :5]), axes) is axes


@pytest.mark.parametrize(
    ("picture", "patch", "settings", "message"),
    [
        (np.eye(4), np.eye(5), {}, "must fit into the picture of 4 x 4; got 5 x 5"),
        (np.zeros((3, 4, 4)), np.eye(2), {}, r"channels of the picture \(3\); got 1"),
        (np.eye(4), np.ones((2, 2)), {}, "needs some contrast; got equal values"),
        (np.eye(4), np.eye(2), {"best": 0}, "best must be at least 1; got 0"),
        (np.ones(4), np.eye(2), {}, r"picture is \[rows, columns\] .* got shape \(4,\)"),
        (np.eye(4), [["a"]], {}, "the patch must be numbers"),
    ],
)
def test_template_search_refuses(picture, patch, settings, message):
    with pytest.raises(UsageError, match=message):
        template_search(picture, patch, **settings)


# Convolution as a matrix


def test_the_matrix_of_a_textbook():
    """x * (-1, 0, 1) is x times a matrix down whose columns -1, 0, 1 runs."""
    found = toeplitz([-1, 0, 1], 6)
    columns = found.matrix.toarray().T
    for column in range(4):
        assert columns[column : column + 3, column].tolist() == [-1, 0, 1]
        assert np.count_nonzero(columns[:, column]) == 2
    assert (found.distinct, found.full, found.entries) == (3, 24, 12)
    assert "distinct parameters 3, against 24" in str(found)
    x = np.arange(6.0) ** 2
    assert (x @ columns).tolist() == (x[2:] - x[:-2]).tolist()
    picture = toeplitz([[-1, 0, 1]], (4, 5))
    assert (picture.distinct, picture.matrix.shape) == (3, (12, 20))


@settings(deadline=None)
@given(data=st.data(), dims=st.integers(1, 3), groups=st.integers(1, 2))
def test_the_matrix_computes_the_layer(data, dims, groups):
    sides = lambda low, high: data.draw(st.tuples(*[st.integers(low, high)] * dims))  # noqa: E731
    size, taps, stride, dilation = sides(3, 5), sides(1, 2), sides(1, 2), sides(1, 2)
    padding = tuple(zip(sides(0, 1), sides(0, 2), strict=True))
    weight = np.random.default_rng(0).integers(-5, 6, (2 * groups, 2, *taps)).astype(float)
    x = np.random.default_rng(1).integers(-5, 6, (2 * groups, *size)).astype(float)
    found = toeplitz(weight, size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    out = correlate(x[None], weight, stride=stride, padding=padding, dilation=dilation, groups=groups)[0]
    assert np.array_equal(found.matrix @ x.ravel(), out.ravel())
    assert found.distinct <= weight.size
    assert found.full == x.size * out.size


def test_zero_weights_are_parameters_too():
    found = toeplitz(np.zeros((2, 2)), (3, 3))
    assert (found.distinct, found.entries) == (4, 16)
    assert "0 ·" in str(found).replace("  ", " ")
    assert str(toeplitz(np.ones((3, 3)), (30, 30))).count("\n") == 1


@pytest.mark.parametrize("transposed", [False, True])
def test_the_matrix_is_drawn(transposed):
    found = toeplitz([-1, 0, 1], 6)
    axes = draw_toeplitz(found, transposed=transposed)
    assert axes.images[0].get_array().shape == ((6, 4) if transposed else (4, 6))
    assert [text.get_text() for text in axes.texts].count("-1") == 4
    assert axes.get_xlabel() == ("output" if transposed else "input")
    assert "3 distinct parameters, 24" in axes.get_title()
    assert not draw_toeplitz(toeplitz(np.ones((3, 3)), (9, 9))).texts


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: toeplitz(np.ones((2, 2, 2)), (4, 4)), r"or two more for its channels; got shape \(2, 2, 2\)"),
        (lambda: toeplitz(np.ones((5, 5)), (4, 4)), "needs an input of at least 5"),
        (lambda: toeplitz(np.ones((9, 9)), (1000, 1000)), "at most 20,000,000 entries are built"),
        (lambda: toeplitz([[1], [1, 2]], (4, 4)), "uneven rows"),
        (lambda: draw_toeplitz(toeplitz(np.ones((3, 3)), (99, 99))), "at most 4,000,000 cells are drawn"),
    ],
)
def test_toeplitz_refuses(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_a_kernel_larger_than_its_input_is_a_shape_error():
    with pytest.raises(ShapeError):
        toeplitz([1, 1, 1], 2)
