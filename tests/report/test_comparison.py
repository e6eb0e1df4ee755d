from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from striate.errors import DataError, UsageError
from striate.report.comparison import facts, load_entries, pairs, write_comparison
from striate.report.comparison.entries import aligned
from striate.report.comparison.results import Pair, differing_settings, metrics, of_the_best
from striate.training.run import DataConfig, ModelConfig, RunConfig, RunFolder, TrainingSettings, train
from striate.training.uncertainty import compare_scores


def run(folder, data="digits", **training):
    settings = TrainingSettings(**{"epochs": 2, "batch_size": 100, "augmentation": "none", **training})
    model = ModelConfig(name="mlp", options={"hidden": (8,)})
    train(RunConfig(data=DataConfig(name=str(data)), model=model, training=settings), folder, report=False)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    return [run(place / "weak", epochs=1, learning_rate=1e-4), run(place / "strong", epochs=15, learning_rate=1e-2)]


def test_what_differs_and_which_is_better(folders):
    entries = load_entries(folders)
    assert differing_settings(entries) == {"training.epochs": [1, 15], "training.learning_rate": [1e-4, 1e-2]}
    (pair,) = pairs(entries)
    assert pair.better == "strong"
    assert pair.samples == 359
    first, second = (entry.evaluation for entry in entries)
    right = [found.outputs.argmax(axis=1) == found.targets for found in (first, second)]
    assert pair.difference.only_second == int((right[1] & ~right[0]).sum())
    assert facts(entries)["pairs"][0]["better"] == "strong"


def test_the_page_shows_curves_metrics_and_samples(folders, tmp_path):
    page = write_comparison(folders, tmp_path / "page.html").read_text("utf-8")
    for title in ("Settings that differ", "Learning", "Metrics", "Which is better", "Where they disagree"):
        assert f"<h2>{title}</h2>" in page
    assert len(re.findall("<figure>", page)) == 48
    assert page.count("<polyline") == 2 * 5
    assert "<script" not in page


def test_many_runs_are_compared_with_the_best_of_them():
    difference = compare_scores(np.ones(9), np.zeros(9))
    found = [Pair(a, b, 9, difference, p) for a, b, p in (("a", "b", 0.01), ("a", "c", 0.3), ("b", "c", 0.001))]
    assert of_the_best(found) == found[:2]
    assert of_the_best([dataclasses.replace(pair, adjusted=1.0) for pair in found[1:]])[0].first == "a"


def test_a_model_does_not_differ_from_itself(folders, tmp_path):
    twin = run(tmp_path / "twin", epochs=1, learning_rate=1e-4)
    entries = load_entries([folders[0], twin])
    (pair,) = pairs(entries)
    assert pair.better is None
    assert "do not differ significantly" in pair.verdict
    assert (
        "0 of 359 samples are predicted differently" in write_comparison(entries, tmp_path / "p.html").read_text()
    )


def test_runs_on_other_samples_are_not_tested_against_each_other(folders, tmp_path):
    np.savez(tmp_path / "other.npz", x=np.random.default_rng(0).random((60, 5)), y=np.arange(60) % 2)
    entries = load_entries([folders[0], run(tmp_path / "other", tmp_path / "other.npz")])
    assert aligned(entries) is None
    assert "not all tested on the same samples" in write_comparison(entries, tmp_path / "p.html").read_text()


def test_numbers_are_compared_by_their_errors(tmp_path):
    x = np.random.default_rng(0).normal(size=(200, 4))
    np.savez(tmp_path / "line.npz", x=x, y=x[:, 0] * 2 + 1)
    entries = load_entries(
        [run(tmp_path / str(n), tmp_path / "line.npz", epochs=n, learning_rate=0.01) for n in (1, 30)]
    )
    assert list(metrics(entries[0].evaluation)) == [
        "mean absolute error",
        "root mean squared error",
        "mean squared error",
    ]
    assert pairs(entries)[0].better == "30"
    assert "The samples whose scores" in write_comparison(entries, tmp_path / "p.html").read_text()


def test_mistakes(folders, tmp_path):
    with pytest.raises(UsageError, match="compare: needs at least two runs; got 1"):
        load_entries([folders[0], folders[0]])
    place = RunFolder(tmp_path / "new")
    place.path.mkdir()
    RunConfig(data=DataConfig(name="digits")).save(place.config)
    with pytest.raises(UsageError, match="has no model yet; the run is stopped"):
        load_entries([folders[0], place.path])
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((60, 5)), y=np.arange(60) % 2)
    other = run(tmp_path / "changed", tmp_path / "d.npz")
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(1).random((60, 5)), y=np.arange(60) % 2)
    with pytest.raises(DataError, match="test samples have changed since it was trained"):
        load_entries([folders[0], other])


def test_without_test_only_what_the_folders_say(folders):
    entries = load_entries(folders, tested=False)
    assert [entry.evaluation for entry in entries] == [None, None]
    assert dataclasses.asdict(entries[0].record)["accuracy"] is not None
