"""The folder of a run: who may train in it, and what is left after a divergence."""

from __future__ import annotations

import json

import pytest

from striate import load
from striate.data import registry
from striate.errors import DivergenceError, ModelFileError, StriateError, UsageError
from striate.training.run import DataConfig, ModelConfig, RunConfig, RunFolder, TrainingSettings, resume, train
from striate.training.run.lock import locked


def config(**training):
    small = ModelConfig(name="mlp", options={"hidden": (4,)})
    settings = TrainingSettings(**{"epochs": 2, "batch_size": 200, "augmentation": "none", **training})
    return RunConfig(data=DataConfig(name="digits"), model=small, training=settings)


def test_one_at_a_time(tmp_path):
    seen = []

    def meanwhile(splits, trainer):
        for start in (lambda: resume(tmp_path / "run"), lambda: train(config(), tmp_path / "run")):
            with pytest.raises(UsageError, match=r"another process is training in this folder|already holds a run"):
                start()
        seen.append(True)

    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    half_written = tmp_path / "run" / "checkpoints" / ".step-000000001.safetensors.part"
    train(config(), tmp_path / "run", prepared=meanwhile, report=False)
    assert seen
    with locked(tmp_path / "run"):
        half_written.write_bytes(b"half")
        with pytest.raises(
            UsageError, match=r"run: another process is training in this folder. Wait for it to end"
        ):
            resume(tmp_path / "run")
        assert half_written.exists()
    resume(tmp_path / "run", report=False)
    assert not half_written.exists()


@pytest.mark.parametrize("left", ["config.toml", "checkpoints/step-000000001.safetensors", "model.safetensors"])
def test_what_a_run_left_is_not_written_over(tmp_path, left):
    place = tmp_path / "run" / left
    place.parent.mkdir(parents=True)
    place.write_text("kept")
    with pytest.raises(UsageError, match=r"run: already holds a (run|model)"):
        RunFolder(tmp_path / "run").begin(config(), registry.load("digits"))
    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == [place]
    assert place.read_text() == "kept"


def test_suggested_commands_can_be_copied_into_a_shell(tmp_path):
    folder = tmp_path / "my run"
    folder.mkdir()
    RunFolder(folder).config.write_text("")
    for refused in (RunFolder(folder).check_new, lambda: load(folder)):
        with pytest.raises(StriateError, match=rf"striate resume '{folder}'; or"):
            refused()


def test_a_folder_without_a_run_cannot_be_reopened(tmp_path):
    (tmp_path / ".model.safetensors.part").write_text("of somebody else")
    with pytest.raises(UsageError, match=r"must be the folder of a run; there is no config\.toml in it"):
        RunFolder(tmp_path).reopen()
    assert (tmp_path / ".model.safetensors.part").exists()


def test_after_a_divergence_the_folder_can_be_trained_in_again(tmp_path):
    wild = config(learning_rate=1e30, optimizer="sgd", schedule="constant")
    for _ in range(2):
        with pytest.raises(DivergenceError):
            train(wild, tmp_path / "run", report=False)
    run = train(config(), tmp_path / "run", report=False)
    assert len(run.history) == 2
    assert sorted(p.name for p in (tmp_path / "run").glob("diverged-*")) == ["diverged-1", "diverged-2"]
    kept = RunFolder(tmp_path / "run" / "diverged-2")
    assert json.loads(kept.log.read_text().splitlines()[-1])["event"] == "diverged"
    assert RunConfig.load(kept.config).training.learning_rate == 1e30
    with pytest.raises(UsageError, match="already holds a run"):
        train(config(), tmp_path / "run")


def test_more_epochs(tmp_path):
    train(config(), tmp_path / "run", report=False)
    run = resume(tmp_path / "run", report=False, epochs=5)
    assert [record.epoch for record in run.history.records] == [1, 2, 3, 4, 5]
    assert run.history["learning_rate"][2] > run.history["learning_rate"][-1]
    assert RunConfig.load(run.folder.config).training.epochs == 5
    assert len(resume(tmp_path / "run", report=False).history) == 5
    with pytest.raises(UsageError, match=r"the run already has 5 epochs; got --epochs 5. Give more."):
        resume(tmp_path / "run", epochs=5)


def test_the_folder_of_a_run_is_a_model(tmp_path):
    run = train(config(), tmp_path / "run", report=False)
    assert (load(tmp_path / "run").theta == run.model.theta).all()
    tuned = train(
        config(epochs=1).changed(model=ModelConfig(name=str(tmp_path / "run"), new_head=True)), tmp_path / "tuned"
    )
    assert len(tuned.history) == 1
    run.folder.model.unlink()
    with pytest.raises(ModelFileError, match=r"this run has no model yet. Finish it with: striate resume"):
        load(tmp_path / "run")
    with pytest.raises(ModelFileError, match=r"must be a model file or the folder of a run; there is no model"):
        load(tmp_path)


def test_a_report_that_is_interrupted_says_where_the_model_is(tmp_path, monkeypatch):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("striate.report.write_report", stopped)
    with pytest.raises(StriateError, match=r"interrupted while writing the report. The model is saved in .*model"):
        train(config(), tmp_path / "run")
    assert load(tmp_path / "run")
