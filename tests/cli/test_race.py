"""``striate race``."""

from __future__ import annotations

import pytest

from .helpers import last_json, width_of


def test_optimizers_against_each_other(run, tmp_path):
    out = tmp_path / "race.png"
    arguments = ["digits", "--vary", "optimizer=gradient_descent,adam", "--epochs", 1, "--model", "mlp"]
    told = last_json(run("race", *arguments, "--out", out, "--json"))
    assert sorted(told["ranking"]) == ["adam", "gradient descent"]
    assert [len(one["losses"]) for one in told["runs"]] == [2, 2]
    assert width_of(out) > 300


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ("speed=1,2", "--vary: unknown name 'speed'"),
        ("seed=1", "--vary: needs at least two different values, such as seed=a,b"),
        ("optimizer=adam,adm", "--optimizer: unknown name 'adm'"),
    ],
)
def test_wrong_use(refused, vary, words):
    assert words in refused("race", "digits", "--vary", vary, status=2)
