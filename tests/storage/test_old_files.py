"""A run that version 0.1 wrote opens: its model, its configuration, its log and its checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import striate
from striate.data import registry
from striate.training.optimizers import Momentum
from striate.training.run import RunConfig, resume

RUN = Path(__file__).parent / "run_of_0_1"
EVENTS = [json.loads(line) for line in (RUN / "log.jsonl").read_text().splitlines()]


def test_the_model_predicts_what_it_did() -> None:
    found = striate.load(RUN).evaluate(registry.load("digits").test)
    assert found.accuracy == EVENTS[-1]["test_accuracy"]
    assert found.loss == pytest.approx(EVENTS[-1]["test_loss"], rel=1e-6)


def test_the_configuration_means_what_it_did() -> None:
    config = RunConfig.load(RUN / "config.toml")
    assert (config.model.name, config.data.name, config.training.epochs) == ("logistic_regression", "digits", 3)
    assert (config.training.optimizer, config.training.batch_size) == (Momentum(0.9), 32)


def test_the_run_goes_on(tmp_path: Path) -> None:
    folder = shutil.copytree(RUN, tmp_path / "run")
    records = resume(folder, epochs=4).history.records
    before = [event["loss"] for event in EVENTS if event["event"] == "epoch"]
    assert [record.loss for record in records[:3]] == before
    assert records[3].loss < before[-1]
    assert len(striate.load(folder).theta) == len(striate.load(RUN).theta)
