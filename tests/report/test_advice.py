from __future__ import annotations

import dataclasses
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

from striate.cli.app import app
from striate.model.evaluation import Evaluation
from striate.report.advice import advise
from striate.training.history import EpochRecord, History
from striate.training.run import DataConfig, ModelConfig, RunConfig, TrainingSettings, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    config = RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp"),
        training=TrainingSettings(epochs=1, augmentation="none"),
    )
    return train(config, tmp_path_factory.mktemp("runs") / "run", report=False)


def with_epochs(run, *epochs):
    """The run with epochs of (loss, accuracy, validation loss, validation accuracy)."""
    records = [EpochRecord(n, *figures, 1e-3, n, 1.0, 1.0) for n, figures in enumerate(epochs, 1)]
    parts = {name: getattr(run, name) for name in ("folder", "config", "splits", "model", "evaluation", "split")}
    return SimpleNamespace(**parts, history=History(records))


def commands(advice):
    return [suggestion.command for suggestion in advice.suggestions]


def test_a_gap_beyond_chance_is_overfitting(trained):
    found = advise(with_epochs(trained, (0.5, 0.8, 0.5, 0.8), (0.01, 1.0, 0.4, 0.85)))
    assert found.verdict == "overfits"
    assert "100.00 % in training and 85.00 % on 144 validation samples" in found.because
    assert [command.split("config.toml ")[1].split()[0] for command in commands(found)] == [
        "--augment",
        "--weight-decay",
    ]


def test_there_is_something_to_try_where_the_usual_has_been_tried(trained):
    found = with_epochs(trained, (0.5, 0.8, 0.5, 0.8), (0.01, 1.0, 0.4, 0.85))
    penalties = dataclasses.replace(found.config.training.regularisation, weight_decay=4.0, label_smoothing=0.1)
    moved = TrainingSettings(epochs=1, augmentation="rotation:5", regularisation=penalties)
    found.config = dataclasses.replace(found.config, training=moved)
    first, second = commands(advise(found))
    assert "hidden=50,50" in first
    assert "--folds 5" in second


def test_a_validation_loss_that_rises_is_overfitting(trained):
    losses = (0.3, 0.2, 0.25, 0.3, 0.35, 0.4)
    found = advise(with_epochs(trained, *[(0.1, 0.95, loss, 0.95) for loss in losses]))
    assert advise(with_epochs(trained, *[(0.5, 0.99, loss, 0.99) for loss in losses])).verdict == "fits"
    assert found.verdict == "overfits"
    assert "the validation loss rose from 0.2 after epoch 2 to 0.4" in found.because
    assert any("--early-stopping" in command for command in commands(found))


def test_errors_on_samples_it_has_seen_are_underfitting(trained):
    found = advise(with_epochs(trained, (0.9, 0.6, 0.9, 0.6), (0.7, 0.7, 0.7, 0.69)))
    assert found.verdict == "underfits"
    assert any("--epochs 4" in command for command in commands(found))
    assert any("hidden=400,400" in command for command in commands(found))


def test_a_loss_that_hardly_falls_at_a_low_rate_asks_for_a_higher_one(trained):
    found = with_epochs(trained, (0.7, 0.5, 0.7, 0.5), (0.69, 0.5, 0.7, 0.5))
    assert "--learning-rate" not in commands(advise(found))[0]
    training = dataclasses.replace(found.config.training, learning_rate=1e-5)
    found.config = dataclasses.replace(found.config, training=training)
    assert "--learning-rate 0.0001" in commands(advise(found))[0]


def test_a_gap_within_chance_is_neither(trained):
    found = advise(with_epochs(trained, (0.02, 0.995, 0.03, 0.985)))
    assert found.verdict == "fits"
    assert "--folds 5" in commands(found)[0]


def test_a_rare_class_that_is_never_predicted_asks_for_weights(trained):
    found = with_epochs(trained, (0.02, 0.995, 0.03, 0.985))
    targets = np.array([0] * 97 + [1] * 3)
    outputs, confusion = np.tile([0.9, 0.1], (100, 1)), np.array([[97, 0], [3, 0]])
    found.evaluation = Evaluation(0.1, 0.97, ("sound", "crack"), confusion, outputs, targets, np.zeros(100), "x")
    assert advise(found).verdict == "neglects"
    assert "crack is never predicted, though it is the class of 3 of 100 test samples" in advise(found).because
    assert "--class-weights balanced" in commands(advise(found))[0]
    training = dataclasses.replace(found.config.training, sampling="balanced")
    found.config = dataclasses.replace(found.config, training=training)
    assert advise(found).verdict == "fits"


def test_without_validation_there_is_no_advice(trained):
    assert advise(with_epochs(trained, (0.5, 0.8, None, None))) is None
    assert advise(with_epochs(trained)) is None


def test_every_command_works(trained, tmp_path, run_command):
    runs = [(0.5, 0.95, loss, 0.95) for loss in (0.3, 0.2, 0.25, 0.3, 0.35, 0.4)], [(0.7, 0.7, 0.7, 0.69)] * 2
    for number, epochs in enumerate(runs):
        for place, command in enumerate(commands(advise(with_epochs(trained, *epochs)))):
            program, *words = shlex.split(command)
            assert program == "striate"
            words += ["--out", str(tmp_path / f"{number}-{place}"), "--no-report"]
            words += [] if "--epochs" in words else ["--epochs", "1"]
            run_command(words)


@pytest.fixture
def run_command():
    from typer.testing import CliRunner

    def call(words):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output

    return call
