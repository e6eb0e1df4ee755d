"""``striate backprop``."""

from __future__ import annotations

import pytest

from .helpers import last_json


def test_values_and_error_signals(run):
    result = run("backprop", "0.5*(w*x - t)**2", "w=2", "x=3", "t=5", "--json")
    assert last_json(result) == {"result": 0.5, "gradients": {"w": 3.0, "x": 2.0, "t": -1.0}}
    assert "w_bar" in result.stderr


def test_vectors_and_the_check(run):
    result = run("backprop", "sum((A @ x)**2)", "A=[[1,2],[3,4]]", "x=[1,-1]", "--check", "--json")
    values = last_json(result)
    assert values["gradients"]["x"] == [-8.0, -12.0]
    assert values["largest_difference"] < 1e-6


def test_the_graph_is_drawn(run, tmp_path):
    path = tmp_path / "graph.svg"
    assert run("backprop", "w*x", "w=1", "x=2", "--svg", path).exit_code == 0
    assert path.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["w*", "w=1"], "column"),
        (["w*x", "w=1"], "x"),
        (["w*x", "w=1", "x"], "values: must be NAME=VALUE"),
        (["w*x", "w=1", "x=two"], "x: "),
        (["__import__('os')"], "unknown name '__import__'"),
    ],
)
def test_wrong_use(refused, arguments, words):
    assert words in refused("backprop", *arguments, status=2)
