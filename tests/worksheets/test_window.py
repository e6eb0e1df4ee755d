"""The sliding window: which cells it touches, its numbers, and its pictures."""

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from striate.errors import ShapeError, UsageError
from striate.worksheets.arithmetic import convolution, pooling, transposed_convolution
from striate.worksheets.filtering import convolve
from striate.worksheets.matrix import toeplitz
from striate.worksheets.pooling import pool
from striate.worksheets.window import animated_gif, animated_svg, sliding_window, window_image, window_svg
from striate.worksheets.window.scene import Rectangle, Word, make_scene

SPACE = "{http://www.w3.org/2000/svg}"
PICTURE = np.arange(25.0).reshape(5, 5) - 7
KERNEL = np.array([[1.0, -1, 0], [0, 2, -3], [-1, 0, 2]])


# Cells and numbers


@settings(deadline=None, max_examples=60)
@given(data=st.data(), dims=st.integers(1, 2))
def test_numbers_are_those_of_the_convolution(data, dims):
    sides = lambda low, high: data.draw(st.tuples(*[st.integers(low, high)] * dims))  # noqa: E731
    size, taps = sides(3, 6), sides(1, 3)
    setting = {
        "stride": sides(1, 3),
        "dilation": sides(1, 2),
        "padding": tuple(zip(sides(1, 2), sides(1, 3), strict=True)),
    }
    random = np.random.default_rng(0)
    x, kernel = random.integers(-5, 6, size).astype(float), random.integers(-5, 6, taps).astype(float)
    window = sliding_window(convolution(size, taps, **setting), x, kernel)
    expected = convolve(x, kernel, **setting).values
    assert {frame.position: frame.value for frame in window.frames()} == dict(np.ndenumerate(expected))


@settings(deadline=None, max_examples=60)
@given(data=st.data(), dims=st.integers(1, 2))
def test_transposed_convolution_is_the_adjoint(data, dims):
    """The window over the stretched input computes M.T @ x, M being the convolution's matrix."""
    sides = lambda low, high: data.draw(st.tuples(*[st.integers(low, high)] * dims))  # noqa: E731
    size, taps, stride, dilation = sides(1, 4), sides(2, 3), sides(1, 3), sides(1, 2)
    padding = tuple(zip(sides(0, 2), sides(0, 2), strict=True))
    parts = zip(size, taps, stride, dilation, padding, strict=True)
    big = [(n - 1) * s - sum(p) + d * (k - 1) + 1 for n, k, s, d, p in parts]
    if min(big) < 1:
        return
    x = np.random.default_rng(1).integers(-5, 6, size).astype(float)
    kernel = np.random.default_rng(2).integers(-5, 6, taps).astype(float)
    setting = {"stride": stride, "dilation": dilation, "padding": padding}
    window = sliding_window(transposed_convolution(size, taps, **setting), x, kernel)
    out = toeplitz(kernel, big, **setting).matrix.T @ x.ravel()
    assert window.layer.output_size == tuple(big)
    assert [frame.value for frame in window.frames()] == out.tolist()


@pytest.mark.parametrize("statistic", ["max", "average"])
def test_pooling_numbers(statistic):
    setting = {"stride": 2, "padding": 1, "ceil_mode": True}
    window = sliding_window(pooling(5, 3, **setting), PICTURE, statistic=statistic)
    expected = pool(PICTURE, 3, statistic=statistic, **setting).values
    assert [frame.value for frame in window.frames()] == expected.ravel().tolist()


def test_cells_of_a_dilated_and_padded_window():
    window = sliding_window(convolution((7,), 3, dilation=2, padding=(1, 2), stride=2))
    assert window.extent == ((-1, 9),)
    assert window.frame(0).taps == ((-1,), (1,), (3,))
    assert [window.input_cell((at,)) for at in (-1, 0, 6, 7)] == [None, (0,), (6,), None]
    assert window.frame(2).value is None
    assert window.value_at((0,)) is None


def test_zeros_between_the_cells_of_a_transposed_convolution():
    window = sliding_window(transposed_convolution((3,), 3, stride=2, padding=1, output_padding=1), [1, 2, 3])
    assert [window.value_at((at,)) for at in range(-1, 7)] == [0, 1, 0, 2, 0, 3, 0, 0]
    assert window.extent == ((-1, 7),)
    narrow = sliding_window(transposed_convolution((4,), 2, padding=2))
    assert narrow.extent == ((0, 4),)  # padding beyond the kernel leaves cells that no window reaches
    assert narrow.frame(0).taps == ((1,), (2,))


def test_ceil_mode_reaches_beyond_the_padding():
    window = sliding_window(pooling((5,), 2, ceil_mode=True))
    assert (window.padded, window.extent) == (((0, 5),), ((0, 6),))


# Pictures

CASES = {
    "plain": (convolution(5, 3, padding=1, stride=2), PICTURE, KERNEL),
    "dilated": (convolution((7, 9), (3, 2), dilation=(2, 3), padding=((1, 0), 2)), None, None),
    "transposed": (transposed_convolution(3, 3, stride=2, padding=1), PICTURE[:3, :3], KERNEL),
    "pooling": (pooling(5, 2, ceil_mode=True), PICTURE, None),
    "signal": (convolution((8,), 3, padding="same"), np.arange(8), [1, -2, 1]),
    "volume": (convolution((3, 4, 4), 2), None, None),
    "one": (convolution((1,), 1), None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_everything_lies_inside_and_cells_do_not_overlap(name):
    scene = make_scene(sliding_window(*CASES[name]))
    assert len(scene.frames) == len(scene.lasting) == np.prod(CASES[name][0].output_size)
    cells = [shape for shape in scene.still if isinstance(shape, Rectangle)]
    for i, a in enumerate(cells):
        assert 0 < a.x < a.x + a.width < scene.width
        assert 0 < a.y < a.y + a.height < scene.height
        for b in cells[:i]:
            apart_x = a.x + a.width <= b.x + 0.01 or b.x + b.width <= a.x + 0.01
            assert apart_x or a.y + a.height <= b.y + 0.01 or b.y + b.height <= a.y + 0.01
    first_cell, last_cell = min(cell.y for cell in cells), max(cell.y + cell.height for cell in cells)
    for shapes in [scene.still, *scene.frames]:
        for shape in shapes:
            if isinstance(shape, Word) and shape.left:
                assert shape.y + shape.size / 2 < first_cell or last_cell < shape.y - shape.size / 2 < scene.height
                assert shape.x + 0.55 * shape.size * len(shape.text) <= scene.width
            if isinstance(shape, Rectangle):
                assert shape.x + shape.width < scene.width


def test_the_still_picture_shows_the_numbers_of_its_window():
    window = sliding_window(*CASES["plain"])
    root = ElementTree.fromstring(window_svg(window, (1, 2)))
    words = [text.text for text in root.iter(f"{SPACE}text")]
    assert words[0] == "convolution, kernel 3, stride 2, padding 1: 5 x 5 to 3 x 3"
    assert words[1] == "rows: floor((5 + 2*1 - 3)/2) + 1 = floor(2) + 1 = 3"
    assert f"{window.frame(1, 2).value:g}" in words
    assert " ".join(word for word in words if "*" in word and "floor" not in word).startswith("out[1, 2] = ")
    fills = [rect.get("fill") for rect in root.iter(f"{SPACE}rect")]
    assert fills.count("#2f6ea8") == 6  # taps on the input; the other three lie on the padding
    assert fills.count("#71889e") == 3
    assert fills.count("#bcd7f0") == 25
    assert fills.count("#d5efe5") == 9
    assert "dilation 2 x 3" in window_svg(sliding_window(*CASES["dilated"]))


@pytest.mark.parametrize("name", CASES)
def test_the_moving_picture_shows_every_position_once(name):
    window = sliding_window(*CASES[name])
    root = ElementTree.fromstring(animated_svg(window, seconds=0.5))
    count = int(np.prod(window.layer.output_size))
    moving = [group for group in root.findall(f"{SPACE}g") if group.find(f"{SPACE}line") is not None]
    assert len(moving) == count
    for i, group in enumerate(moving):
        assert group.get("visibility", "visible") == ("visible" if i == 0 else "hidden")
        animation = group.find(f"{SPACE}animate")
        if count == 1:
            assert animation is None
            continue
        times = [float(time) for time in animation.get("keyTimes").split(";")]
        values = animation.get("values").split(";")
        assert times[0] == 0
        assert len(times) == len(values)
        assert times[values.index("visible")] == pytest.approx(i / count, abs=1e-5)
        assert animation.get("dur") == f"{count * 0.5:g}s"


def test_the_gif_has_a_frame_for_every_position():
    window = sliding_window(*CASES["plain"])
    with Image.open(io.BytesIO(animated_gif(window, seconds=0.25))) as gif:
        assert (gif.format, gif.n_frames, gif.info["duration"], gif.info["loop"]) == ("GIF", 9, 250, 0)
        scene = make_scene(window)
        assert gif.size == (scene.width, scene.height)
        places = [
            next(shape for shape in frame if getattr(shape, "fill", "") == "#1b9e77") for frame in scene.frames
        ]
        for i in (0, 4, 8):
            gif.seek(i)
            pixels = gif.convert("RGB")
            assert pixels.getpixel((2, 2)) == (255, 255, 255)
            for j, place in enumerate(places):
                green = pixels.getpixel((round(place.x) + 6, round(place.y) + 6)) == (27, 158, 119)
                assert green == (i == j)


def test_the_picture_in_pixels():
    window = sliding_window(*CASES["signal"])
    scene = make_scene(window)
    assert window_image(window, scale=1).size == (scene.width, scene.height)
    assert window_image(window, (3,)).size == (2 * scene.width, 2 * scene.height)
    assert window_image(window, (0,)).tobytes() != window_image(window, (1,)).tobytes()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sliding_window(convolution(227, 11, stride=4)), "at most 48 cells per axis .* got 227 cells"),
        (lambda: sliding_window(convolution(40, 3)), "1024 positions are drawn; got 40 cells and 1444 positions"),
        (
            lambda: sliding_window(convolution(5, 3), np.ones((4, 4))),
            r"x needs the layer's size \(5, 5\); got shape",
        ),
        (lambda: sliding_window(convolution(5, 3), PICTURE, [1]), r"kernel needs the layer's size \(3, 3\)"),
        (lambda: sliding_window(pooling(4, 2), statistic="mean"), "unknown name 'mean'"),
        (lambda: sliding_window(convolution(5, 3)).frame(3, 0), r"positions lie within \(3, 3\)"),
        (lambda: window_svg(sliding_window(convolution(5, 3)), (0,)), r"positions lie within \(3, 3\)"),
        (lambda: animated_svg(sliding_window(convolution(5, 3)), 0), "positive time in seconds; got 0"),
        (
            lambda: animated_gif(sliding_window(convolution(5, 3)), float("nan")),
            "positive time in seconds; got nan",
        ),
        (lambda: window_image(sliding_window(convolution(5, 3)), scale=0), "whole number from 1 to 8; got 0"),
    ],
)
def test_what_cannot_be_drawn_is_one_clear_line(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_positions_outside_are_shape_errors():
    with pytest.raises(ShapeError):
        window_image(sliding_window(convolution(5, 3)), (9, 9))


def test_every_sum_is_written_under_its_window():
    window = sliding_window(convolution((4,), 3, padding=1), [1, 2, 3, 4], [1, -1, 2], bias=5)
    frame = window.frame(0)
    assert frame.value == 0 - 1 + 4 + 5
    assert window.sum_text(frame) == "out[0] = 0*1 + 1*(-1) + 2*2 + 5 = -1 + 4 + 5 = 8"
    assert "out[3] = 3*1 + 4*(-1) + 0*2 + 5" in animated_svg(window)
    assert sliding_window(convolution((4,), 3)).sum_text(window.frame(0)) == ""


def test_channels_are_summed_one_by_one():
    x = np.array([[[1, 2, 0], [0, 1, 3]], [[0, 1, 1], [1, 0, 2]]])
    kernel = np.array([[[1, 0], [0, -1]], [[0, 1], [1, 0]]])
    window = sliding_window(convolution(x.shape, kernel.shape), x, kernel, bias=0.5, channels=True)
    values = [frame.value for frame in window.frames()]
    assert values == convolve(x, kernel, bias=0.5).values.ravel().tolist()
    assert window.sum_text(window.frame(0, 0, 1)).splitlines() == [
        "channel 0[0, 1] = 2*1 + 0*0 + 1*0 + 3*(-1) = 2 - 3 = -1",
        "channel 1[0, 1] = 1*0 + 1*1 + 0*1 + 2*0 = 1",
        "out[0, 1] = -1 + 1 + 0.5 = 0.5",
    ]
    written = make_scene(window).still[0]
    assert written.text == "convolution, 2 channels, kernel 2: 2 x 2 x 3 to 1 x 2"
