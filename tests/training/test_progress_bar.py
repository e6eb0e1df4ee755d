"""What is shown while training runs."""

from __future__ import annotations

import io

from rich.console import Console

from striate.data import registry
from striate.models.registry import build
from striate.training.callbacks.progress_bar import ProgressBar, epoch_line
from striate.training.history import EpochRecord
from striate.training.trainer import Trainer


def _train(console, monkeypatch, wait):
    monkeypatch.setattr("striate.training.callbacks.progress_bar.BAR_SECONDS", wait)
    monkeypatch.setattr("striate.training.callbacks.progress_bar.LINE_SECONDS", wait)
    splits = registry.load("digits")
    trainer = Trainer(build("logistic_regression", 10, (1, 8, 8)))
    trainer.fit(splits.train, splits.validation, 2, [ProgressBar(console)])
    return console.file.getvalue()


def test_a_terminal_gets_a_bar(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, highlight=False)
    text = _train(console, monkeypatch, 0.0)
    for words in ("epoch 1/2", "loss", "accuracy", "images/s", "left"):
        assert words in text
    assert "\x1b[?25h" in text  # the cursor is shown again


def test_a_file_gets_lines(monkeypatch):
    text = _train(Console(file=io.StringIO(), width=100, highlight=False), monkeypatch, 100.0)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2


def test_long_epochs_get_lines_in_between(monkeypatch):
    text = _train(Console(file=io.StringIO(), width=100, highlight=False), monkeypatch, 0.0)
    assert "step 2/21 of epoch 1: loss" in text


def test_regression_has_no_accuracy():
    line = epoch_line(EpochRecord(3, 0.5, None, 0.25, None, 0.001, 60, 1.5, 12345.6), 10, (13,))
    assert line == "epoch  3/10  loss 0.5000  validation loss 0.2500  12,346 samples/s  1.5 s"
