"""The commands that work small things out: pool, matrix, find-patch and descend."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from .helpers import last_json, width_of


def test_pooling_window_by_window(run):
    result = run("pool", "[[1,3,2,4],[5,6,1,2],[7,2,8,1],[3,4,5,9]]", "--kernel", 2, "--json")
    assert last_json(result) == {"statistic": "max", "values": [[6, 4], [7, 9]]}
    assert "out[0, 1] = max(2, 4, 1, 2) = 4, from x[0, 3]" in result.stderr
    mean = run("pool", "[1,3,8,4]", "--kernel", 2, "--stride", 1, "--average", "--json")
    assert last_json(mean)["values"] == [2, 5.5, 6]


def test_a_convolution_as_a_matrix(run, tmp_path):
    picture = tmp_path / "matrix.png"
    result = run("matrix", "[[1,2],[3,4]]", "--input", 3, "--picture", picture, "--json")
    told = last_json(result)
    assert (told["shape"], told["distinct"], told["entries"], told["full"]) == ([4, 9], 4, 16, 36)
    assert "1 2 · 3 4 · · · ·" in result.stderr
    assert width_of(picture) > 300


def test_a_patch_is_found_where_it_was_cut_out(run, tmp_path):
    whole = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    photo, part, picture = tmp_path / "photo.png", tmp_path / "part.png", tmp_path / "found.png"
    Image.fromarray(whole).save(photo)
    Image.fromarray(whole[11:19, 23:33]).save(part)
    for arguments in ([part], ["--cut", "11,23,8,10"]):
        told = last_json(run("find-patch", photo, *arguments, "--best", 2, "--picture", picture, "--json"))
        assert told["matches"][0] == {"row": 11, "column": 23, "score": 1.0}
        assert len(told["matches"]) == 2
    assert width_of(picture) > 300


def test_a_grey_patch_in_a_picture_in_colour(run, tmp_path):
    whole = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    photo = tmp_path / "photo.png"
    Image.fromarray(whole).save(photo)
    told = last_json(run("find-patch", photo, "[[0,255],[255,0]]", "--best", 1, "--json"))
    assert len(told["matches"]) == 1


def test_descent_on_a_problem_and_on_an_expression(run, tmp_path):
    paths, losses = tmp_path / "paths.svg", tmp_path / "losses.svg"
    told = last_json(run("descend", "bowl", "--steps", 30, "--picture", paths, "--losses", losses, "--json"))
    assert told["parameters"] == ["a", "b"]
    assert all(len(path["losses"]) == 31 for path in told["paths"])
    assert "<svg" in paths.read_text("utf-8")
    assert "<svg" in losses.read_text("utf-8")
    arguments = ["x=[0,1,2,3]", "t=[1,3,5,7]", "--method", "gradient_descent", "--steps", 500, "--start", "0,0"]
    told = last_json(run("descend", "mean((w*x + b - t)**2)", *arguments, "--json"))
    (path,) = told["paths"]
    assert path["points"][0] == [0, 0]
    np.testing.assert_allclose(path["points"][-1], [2, 1], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pool", "[[1,2],[3]]"], "uneven rows"),
        (["pool", "[1,2]", "--kernel", 5], "kernel"),
        (["pool", "[1,2]", "--kernel", "two"], "--kernel: must be a number"),
        (["matrix", "[[1,2],[3]]", "--input", 4], "uneven rows"),
        (["matrix", "[1,2]", "--input", "4x4x4"], "toeplitz: the kernel has the axes of the input"),
        (["matrix", "[1,2,3]", "--input", 2], "kernel"),
        (["find-patch", "[[1,2],[3,4]]"], "needs either PATCH or --cut"),
        (["find-patch", "[[1,2],[3,4]]", "--cut", "0,0,3,1"], "--cut: is row,column,rows,columns inside 2 x 2"),
        (["find-patch", "[[1,2],[3,4]]", "--cut", "0,0,a,1"], "--cut: is row,column,rows,columns"),
        (["find-patch", "[[1,2],[3,4]]", "[[5,5]]"], "contrast"),
        (["find-patch", "[[1,2],[3,4]]", "[[1,2,3]]"], "must fit into the picture"),
        (["descend", "hill"], "problem: unknown name 'hill'"),
        (["descend", "a**2 + "], "column"),
        (["descend", "a*b*c"], "two parameters are needed"),
        (["descend", "bowl", "--method", "adamant"], "unknown name 'adamant'"),
        (["descend", "bowl", "--method", "sgd"], "needs a problem with samples"),
        (["descend", "bowl", "--start", "1,2,3"], "start is two numbers"),
        (["descend", "bowl", "--steps", 0], "must be at least 1"),
    ],
)
def test_wrong_use(refused, arguments, words):
    assert words in refused(*arguments, status=2)


def test_sums_are_checked(run, refused, tmp_path):
    right = run("check", "[[1,2],[3,4]] * [[1,0],[0,1]] = [[5]]", "--json")
    assert right.exit_code == 0
    assert last_json(right)["sums"][0]["correct"] is True
    slides = tmp_path / "slides.txt"
    slides.write_text("# parameters\n28*28*10 + 10 = 7850\n784*100 + 100 = 78400\n", "utf-8")
    result = run("check", slides, "--json")
    assert result.exit_code == 1
    assert [one["correct"] for one in last_json(result)["sums"]] == [True, False]
    assert "shown 78400, right 78500" in result.stderr
    slides.write_text("# nothing\n", "utf-8")
    assert "contains no sum" in refused("check", slides, status=2)
    assert "cannot be read" in refused("check", tmp_path / "none.txt", status=1)
    assert "got an empty text" in refused("check", "", status=2)
    slides.write_bytes(b"1 + 1 = 2\0")
    assert "cannot be read: it is not text" in refused("check", slides, status=1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_line_that_cannot_be_read_is_reported_with_its_number_and_the_others_are_checked(run, tmp_path, encoding):
    sheet = tmp_path / "sheet.txt"
    sheet.write_bytes("# Übung 1\n1 + 1 = 2\n\nnonsense = [\n\n]\n2 + 2 = 5\n".encode(encoding))
    result = run("check", sheet, "--json")
    assert result.exit_code == 1
    first, second, third = last_json(result)["sums"]
    assert (first["line"], first["correct"]) == (2, True)
    assert (second["line"], second["correct"]) == (4, False)
    assert "the rows must be numbers" in second["error"]
    assert (third["line"], third["wrong"]) == (7, [[]])
    assert f"{sheet}:4: nonsense = [ ]\ncheck: the result: the rows" in result.stderr
