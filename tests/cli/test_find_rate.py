"""``striate find-rate``."""

from __future__ import annotations

from PIL import Image

from .helpers import last_json


def test_a_rate_is_suggested_and_drawn(run, tmp_path):
    plot = tmp_path / "rates.png"
    result = run("find-rate", "digits", "--model", "logistic_regression", "--steps", 40, "--plot", plot, "--json")
    assert result.exit_code == 0, result.output
    values = last_json(result)
    assert 1e-5 < values["suggestion"] < 10
    assert len(values["rates"]) == len(values["losses"])
    with Image.open(plot) as picture:
        assert picture.format == "PNG"


def test_rates_that_do_not_increase(refused):
    assert "rates must increase" in refused("find-rate", "digits", "--lowest", 1, "--highest", 0.1, status=2)


def test_an_unknown_kind_of_figure(refused, tmp_path):
    arguments = ("--model", "logistic_regression", "--steps", 10, "--plot", tmp_path / "rates.xyz")
    assert "the format must be one of" in refused("find-rate", "digits", *arguments, status=2)
