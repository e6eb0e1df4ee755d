from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def runs(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("a", 0), ("b", 1)):
        words = ("--epochs", 2, "--model", "mlp", "--seed", seed, "--no-report")
        assert run("train", "digits", *words, "--out", folder / name).exit_code == 0
    return folder


def test_runs_lists_sorts_and_filters(run, runs):
    table = run("runs", runs, "--sort", "seed").stdout.splitlines()
    assert table[0].split() == [
        "run", "data", "model", "parameters", "accuracy", "loss", "epochs", "time", "seed", "state",
    ]  # fmt: skip
    assert [line.split()[0] for line in table[1:]] == [str(runs / "a"), str(runs / "b")]
    found = json.loads(run("runs", runs, "--filter", "seed>0", "--json").stdout)["runs"]
    assert [item["folder"] for item in found] == [str(runs / "b")]
    assert "no runs found" in run("runs", runs, "--filter", "accuracy>1").stdout


def test_runs_refuses_what_it_cannot_find(refused, tmp_path):
    assert "no such folder" in refused("runs", tmp_path / "none", status=2)


def test_compare_writes_a_page(run, runs, tmp_path):
    page = tmp_path / "page.html"
    result = run("compare", runs / "a", runs / "b", "--out", page, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["settings"] == {"training.seed": [0, 1]}
    assert found["pairs"][0]["samples"] == 359
    assert page.read_text("utf-8").count("<h2>") == 6


def test_compare_needs_two_runs_and_a_known_split(refused, runs):
    assert "at least two runs" in refused("compare", runs / "a", status=2)
    assert "--split" in refused("compare", runs / "a", runs / "b", "--split", "tset", status=2)


def test_folds(run, refused, tmp_path):
    out = tmp_path / "cv"
    words = ("train", "digits", "--epochs", 1, "--model", "mlp", "--folds", 2, "--no-report", "--json")
    result = run(*words, "--out", out)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [fold["state"] for fold in found["folds"]] == ["finished", "finished"]
    mean = sum(fold["accuracy"] for fold in found["folds"]) / 2
    assert found["accuracy"]["mean"] == pytest.approx(mean)
    again = run("resume", out, "--no-report", "--json")
    assert json.loads(again.stdout) == found
    assert "resume a fold for more epochs" in refused("resume", out, "--epochs", 5, status=2)
    assert "--fold too" in refused("train", "digits", "--fold", "1/2", "--folds", 2, status=2)
