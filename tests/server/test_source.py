"""What is served: the newest file, whatever becomes of the one before."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.server.conftest import make_model, make_run

from striate import Model, Sequential, layers
from striate.server.source import Source
from striate.training.run.config import DataConfig, RunConfig
from striate.training.run.folder import RunFolder


def save(path: Path, value: float) -> Path:
    return Model(Sequential([layers.Linear(2)], (3,)), np.full(8, value, np.float32)).save(path)


def test_a_checkpoint_that_is_removed_for_a_newer_one_is_replaced_by_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.config.write_text("")
    run.checkpoints.mkdir()
    first, source = save(run.checkpoints / "1.safetensors", 1.0), Source(tmp_path)
    known = source.loaded()
    assert source.unchanged() is known is source.loaded()
    save(run.checkpoints / "2.safetensors", 2.0)
    first.unlink()
    assert source.unchanged() is None
    assert source.loaded().model.theta[0] == 2.0


def test_a_run_offers_samples_of_its_own_data(tmp_path: Path) -> None:
    pictures, source = make_run(tmp_path), Source(tmp_path)
    offered = source.samples()
    assert {sample["label"] for sample in offered} == {"ant", "bee", "cat"}
    assert offered is source.samples()
    shutil.rmtree(pictures)
    assert Source(tmp_path).samples() == []


def test_a_run_downloads_no_data_to_offer_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model().save(tmp_path / "model.safetensors")
    RunConfig(data=DataConfig(name="mnist")).save(tmp_path / "config.toml")
    monkeypatch.setattr("striate.pages.samples.cache_folder", lambda: tmp_path)
    assert Source(tmp_path).samples() == []
