"""Commands that draw lessons: approximate, convolve --continuous, draw samples, predictions, features, dropout."""

from __future__ import annotations

from .helpers import last_json, width_of


def test_approximate_draws_and_films(run, tmp_path):
    arguments = ["approximate", "sin(x)", "--units", "1,4", "--epochs", 4, "--samples", 20]
    told = last_json(run(*arguments, "--out", tmp_path / "fit.png", "--json"))
    assert [one["units"] for one in told["fits"]] == [1, 4]
    assert run(*arguments, "--out", tmp_path / "fit.gif").exit_code == 0
    assert width_of(tmp_path / "fit.gif") > 300


def test_two_functions_on_a_page(run, refused, tmp_path):
    page = tmp_path / "page.html"
    told = last_json(run("convolve", "box", "--kernel", "box", "--continuous", "--out", page, "--json"))
    assert max(told["sums"]) == 1.75  # the integral is 2
    assert "As a layer" in page.read_text("utf-8")
    words = refused("convolve", "box", "--kernel", "box", "--kernel", "ramp", "--continuous", status=2)
    assert "--continuous: convolves two functions; got 3" in words


def test_grids_of_samples_and_predictions(run, trained, tmp_path):
    assert run("draw", "samples", "digits", "--count", 4, "--out", tmp_path / "a.png").exit_code == 0
    assert run("draw", "predictions", trained, "digits", "--mistakes", "--out", tmp_path / "b.png").exit_code == 0
    told = last_json(
        run("draw", "features", trained, "digits", "--channels", 2, "--out", tmp_path / "c.png", "--json")
    )
    assert {one["layer"] for one in told["features"]} == {"relu1", "relu2"}
    told = last_json(run("draw", "ideal", trained, "--steps", 2, "--out", tmp_path / "d.png", "--json"))
    assert told["values"] == sorted(told["values"])


def test_a_model_without_dropout(refused, trained):
    assert "has no dropout" in refused("draw", "dropout", trained, "digits:7", status=2)


def test_a_kernel_is_filmed_sliding_over_numbers(run, refused, tmp_path):
    film = tmp_path / "film.gif"
    result = run("convolve", "[4,1,1,2]", "--kernel", "[1,-2,1]", "--bias", 3, "--out", film)
    assert result.exit_code == 0, result.output
    assert width_of(film) > 100
    words = refused("convolve", "[4,1,1,2]", "--kernel", "[1]", "--border", "reflect", "--out", film, status=2)
    assert "an animation needs a border of zeros; got reflect. Leave out --border." in words
    words = refused("convolve", "[[[1,2]],[[3,4]]]", "--kernel", "[[1]]", "--out", film, status=2)
    assert (
        "an animation adds up the channels; got a kernel that filters each of the 2 separately. Give a kernel"
        in words
    )
    assert run("convolve", "[[[1,2]],[[3,4]]]", "--kernel", "[[[1]],[[2]]]", "--out", film).exit_code == 0
