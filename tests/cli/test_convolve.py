"""``striate convolve``."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from .helpers import last_json


@pytest.fixture
def photograph(tmp_path):
    """A picture in colour, dark on the left and light on the right."""
    pixels = np.zeros((8, 10, 3), np.uint8)
    pixels[:, 5:] = (200, 100, 50)
    path = tmp_path / "photograph.png"
    Image.fromarray(pixels).save(path)
    return path


def test_numbers_show_every_sum(run):
    result = run("convolve", "[4,1,1,2,3,5,8,13]", "--kernel", "[1,-2,1]")
    assert "out[0] = 4*1 + 1*(-2) + 1*1 = 4 - 2 + 1 = 3" in result.stdout
    assert "result [3 1 0 1 1 2]" in result.stdout


def test_true_convolution_turns_the_kernel(run):
    values = [
        last_json(run("convolve", "[0,0,1,0,0]", "--kernel", "[1,2,3]", *more, "--json"))["values"]
        for more in ([], ["--convolution"])
    ]
    assert values == [[3, 2, 1], [1, 2, 3]]


def test_padding_border_stride_and_dilation(run):
    more = ("--padding", "full", "--border", "replicate", "--stride", 2, "--dilation", 2)
    values = last_json(run("convolve", "[1,2,3]", "--kernel", "[1,1]", *more, "--json"))["values"]
    assert values == [2, 4, 6]


def test_a_picture_becomes_a_picture(run, photograph, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("convolve", photograph, "--kernel", "sobel-x")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "photograph-sobel-x.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (8, 10, 3)
    assert pixels[4, 5, 0] == pixels.max()
    assert not pixels[:, 1:4].any()


def test_the_file_and_scale_of_a_picture(run, photograph, tmp_path):
    out = tmp_path / "out.bmp"
    assert run("convolve", photograph, "--kernel", "blur", "--scale", "stretch", "--out", out).exit_code == 0
    with Image.open(out) as picture:
        assert picture.format == "BMP"


@pytest.mark.parametrize("column", ["value", 2])
def test_a_column_of_a_table(run, tmp_path, column):
    table = tmp_path / "signal.csv"
    table.write_text("note,time,value\na,0,4\nb,1,1\nc,2,1\nd,3,2\n")
    out = tmp_path / "out.csv"
    result = run("convolve", table, "--column", column, "--kernel", "[1,-2,1]", "--out", out)
    assert result.exit_code == 0, result.output
    assert np.loadtxt(out, delimiter=",").tolist() == [3, 1]


def test_arrays_in_and_out(run, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6.0).reshape(2, 3))
    out = tmp_path / "y.npy"
    assert run("convolve", tmp_path / "x.npy", "--kernel", "[[1,1]]", "--out", out).exit_code == 0
    assert np.load(out).tolist() == [[1, 3], [7, 9]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["[1,2", "--kernel", "[1]"], "needs numbers in brackets"),
        (["[1,2]", "--kernel", "[[1,2],[3]]"], "uneven rows"),
        (["[1,2,3]", "--kernel", "lapalcian"], "did you mean 'laplacian'"),
        (["[1,2]", "--kernel", "[1,2,3]"], "3"),
        (["[1,2,3]", "--kernel", "[1]", "--border", "mirror"], "convolve: border"),
        (["[1,2,3]", "--kernel", "[1]", "--out", "numbers.xyz"], "numbers.xyz: the name must end in"),
        (["[1,2,3]"], "Missing option '--kernel'"),
    ],
)
def test_wrong_use(refused, arguments, words):
    assert words in refused("convolve", *arguments, status=2)


def test_a_column_that_is_not_there(refused, tmp_path):
    (tmp_path / "signal.csv").write_text("1,2\n3,4\n")
    assert "--column: must be one of 0, 1, the columns of numbers; got 5." in refused(
        "convolve", tmp_path / "signal.csv", "--column", 5, "--kernel", "[1]", status=2
    )


def test_a_file_that_is_no_picture(refused, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    assert "text.png" in refused("convolve", tmp_path / "text.png", "--kernel", "blur", status=1)


def test_signals_are_drawn_and_feature_maps_pass_through_relu_and_pooling(run, refused, photograph, tmp_path):
    np.savetxt(tmp_path / "signal.csv", np.sin(np.arange(50)))
    plot, maps = tmp_path / "signal.svg", tmp_path / "maps.png"
    told = last_json(
        run(
            "convolve",
            tmp_path / "signal.csv",
            "--kernel",
            "blur",
            "--kernel",
            "gaussian:8",
            "--padding",
            "same",
            "--out",
            plot,
            "--json",
        )
    )
    assert [one["shape"] for one in told["results"]] == [[50], [50]]
    assert "<svg" in plot.read_text("utf-8")
    plot.unlink()
    assert run("pool", tmp_path / "signal.csv", "--kernel", 5, "--out", plot).exit_code == 0
    assert "<svg" in plot.read_text("utf-8")
    result = run("convolve", photograph, "--kernel", "sobel-x", "--kernel", "blur", "--pool", 2, "--out", maps)
    assert result.exit_code == 0, result.output
    with Image.open(maps) as picture:
        assert picture.width > 600
    assert "as often as --kernel (1)" in refused(
        "convolve", "[1,2]", "--kernel", "[1]", "--bias", 1, "--bias", 2, status=2
    )
    assert "holds the result of one kernel" in refused(
        "convolve", "[1,2]", "--kernel", "[1]", "--kernel", "[2]", "--out", tmp_path / "x.csv", status=2
    )


def test_a_bias_is_added_to_every_sum(run):
    result = run("convolve", "[1,2,3]", "--kernel", "[1,1]", "--bias", -0.5, "--json")
    assert last_json(result)["values"] == [2.5, 4.5]
    assert "out[0] = 1*1 + 2*1 + (-0.5) = 1 + 2 - 0.5 = 2.5" in result.stderr


def test_each_colour_is_pooled_by_itself(run, photograph, tmp_path):
    out = tmp_path / "pooled.png"
    told = last_json(run("pool", photograph, "--kernel", 3, "--stride", 2, "--out", out, "--json"))
    assert told["shape"] == [3, 3, 4]
    pixels = np.asarray(Image.open(out))
    assert pixels.shape == (3, 4, 3)
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, 3].tolist() == [200, 100, 50]
