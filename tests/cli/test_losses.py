"""``striate train --loss``: named networks end as their loss wants, figures fit it, predictions too."""

from __future__ import annotations

import json

import numpy as np
import pytest

from striate.training.run import RunConfig

from .helpers import last_json


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of 16 numbers and what they sum to, and one of new rows."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 16))
    names = [f"p{i}" for i in range(16)]
    for name, rows, heads in (
        ("known.csv", np.c_[x, x[:, 0] * 2 + x[:, 1]], [*names, "price"]),
        ("new.csv", x[:4], names),
    ):
        np.savetxt(folder / name, rows, "%.5f", ",", header=",".join(heads), comments="")
    return folder


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Arrays with three labels, each on or off, for every sample."""
    path = tmp_path_factory.mktemp("several") / "labels.npz"
    x = np.random.default_rng(0).normal(size=(300, 1, 4, 4)).astype(np.float32)
    np.savez(path, x=x, y=(x[:, 0, 0, :3] > 0).astype(np.float32))
    return path


@pytest.mark.parametrize("loss", [None, "huber:0.5", "mean_absolute_error", "gaussian_negative_log_likelihood"])
def test_regressions(run, table, tmp_path, loss):
    out = tmp_path / "run"
    arguments = ["--loss", loss] if loss else []
    result = run(
        "train", table / "known.csv", "--label", "price", "--model", "mlp", "--epochs", 40, "--out", out, *arguments
    )
    assert result.exit_code == 0, result.output
    figures = result.output[result.output.index("test R2 ") :].splitlines()[0]
    assert float(figures.split()[2].rstrip(",")) > 0.7
    described = RunConfig.load(out / "config.toml").training.loss.describe()
    expected = {None: "mean_squared_error", "huber:0.5": {"name": "huber", "delta": 0.5}}.get(loss, loss)
    assert described == expected
    page = (out / "report.html").read_text("utf-8")
    gaussian = loss == "gaussian_negative_log_likelihood"
    assert ("1.96 standard deviations" in page) == ("1.96" in figures) == gaussian
    predicted = run("predict", out / "model.safetensors", table / "new.csv", "--json")
    items = last_json(predicted)["predictions"]
    assert len(items) == 4
    assert ("standard_deviations" in items[0]) == gaussian
    assert ("±" in run("predict", out / "model.safetensors", table / "new.csv").output) == gaussian
    evaluated = run(
        "evaluate", out / "model.safetensors", table / "known.csv", "--label", "price", "--split", "test", "--json"
    )
    assert f"{last_json(evaluated)['metrics']['r2']:.4f}" in figures
    submission = tmp_path / "s.csv"
    run("predict", out / "model.safetensors", table / "new.csv", "--submission", submission)
    written = [float(line.split(",")[1]) for line in submission.read_text().splitlines()[1:]]
    assert written == pytest.approx([item["values"][0] for item in items], rel=1e-6)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge:2", "mean_squared_error", "cross_entropy:0.1"])
def test_classifiers(run, tmp_path, loss):
    result = run(
        "train", "digits", "--loss", loss, "--epochs", 6, "--no-report", "--out", tmp_path / "run", "--json"
    )
    assert last_json(result)["test_accuracy"] > 0.85
    again = run("evaluate", tmp_path / "run/model.safetensors", "digits", "--json")
    found = last_json(again)
    assert found["test_loss"] == last_json(result)["test_loss"]
    assert found["metrics"]["accuracy"] == pytest.approx(found["test_accuracy"])
    assert len(found["metrics"]["by_class"]) == 10


def test_labels_that_are_on_or_off(run, several, tmp_path):
    out = tmp_path / "run"
    options = ["--model", "mlp", "--loss", "binary_cross_entropy", "--epochs", 30, "--learning-rate", 0.01]
    result = run("train", several, *options, "--out", out)
    assert result.exit_code == 0, result.output
    assert "test accuracy of labels 9" in result.output
    assert "all labels right" in (out / "report.html").read_text("utf-8")
    new = tmp_path / "new.npy"
    np.save(new, np.zeros((2, 1, 4, 4), np.float32))
    found = run("predict", out / "model.safetensors", new)
    assert "label 1 " in found.output
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["test_accuracy"] > 0.9


@pytest.mark.parametrize(
    ("data", "loss", "status", "words"),
    [
        ("digits", "square", 2, "loss: unknown name 'square'"),
        ("digits", "huber:x", 2, "--loss: each colon must be followed by a number, as in huber:0.5; got 'huber:x'"),
        ("digits", "hinge:1:2", 2, "--loss: hinge takes at most 1 number after its name; got 'hinge:1:2'"),
        ("digits", "mean_squared_error:1", 2, "--loss: mean_squared_error takes no number"),
        ("digits", "gaussian_negative_log_likelihood", 2, "needs numbers; digits has classes. Use cross_entropy"),
        ("known.csv", "cross_entropy", 1, "classes must be text or whole numbers"),
        ("known.csv", "binary_cross_entropy", 1, "needs targets from 0 to 1; got"),
    ],
)
def test_losses_that_do_not_fit_are_one_line_and_leave_nothing(refused, table, tmp_path, data, loss, status, words):
    source = [data] if data == "digits" else [table / data, "--label", "price", "--model", "mlp"]
    out = tmp_path / "run"
    assert words in refused("train", *source, "--loss", loss, "--out", out, status=status)
    assert not out.exists()
