from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from faults import Killed
from striate import load
from striate.data.augmentation import Augmentation, Rotation, Shift
from striate.data.options import Options
from striate.errors import DataError, DivergenceError, ModelFileError, ShapeError, UsageError
from striate.training import Adam, Loss, Regularisation
from striate.training.callbacks import Callback
from striate.training.run import (
    CheckpointConfig,
    DataConfig,
    ModelConfig,
    RunConfig,
    RunFolder,
    TrainingSettings,
    resume,
    train,
)
from striate.training.run.build import load_splits
from striate.training.run.resolve import resolve, with_absolute_paths
from striate.training.settings.callbacks import EarlyStoppingSettings

SMOOTH = {"label_smoothing": 0.05}


def config(**changes) -> RunConfig:
    parts = {
        "data": DataConfig(name="digits"),
        "model": ModelConfig(name="mlp", options={"hidden": (12,)}),
        "training": TrainingSettings(
            epochs=4,
            batch_size=100,
            learning_rate=0.01,
            schedule={"name": "cosine", "warm_up_epochs": 0.5},
            regularisation=Regularisation(label_smoothing=0.05, l2=1e-4),
        ),
        "early_stopping": {"patience": 3},
        "reduce_on_plateau": {"patience": 1},
        "checkpoint": CheckpointConfig(every_steps=5, every_minutes=None, keep=2),
    }
    return RunConfig(**{**parts, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(config(), tmp_path_factory.mktemp("runs") / "whole")


class Kill(Callback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.progress.step == self.step:
            raise Killed


def events(run_or_path):
    path = getattr(run_or_path, "folder", None)
    lines = (path.log if path else run_or_path).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_leaves_everything_in_its_folder(whole):
    folder = whole.folder
    assert sorted(p.name for p in folder.path.iterdir()) == [
        "checkpoints", "config.toml", "log.jsonl", "model.safetensors", "report.html", "splits.json",
    ]  # fmt: skip
    assert sorted(p.name for p in folder.checkpoints.iterdir()) == [
        "best.safetensors", "step-000000050.safetensors", "step-000000052.safetensors",
    ]  # fmt: skip
    log = events(whole)
    assert [entry["event"] for entry in log] == ["start", *["epoch"] * 4, "stop", "end"]
    assert [entry["loss"] for entry in log[1:5]] == whole.history["loss"]
    assert log[-1]["test_accuracy"] == whole.evaluation.accuracy > 0.4
    assert whole.split == "test"
    assert np.array_equal(load(folder.model).theta, whole.model.theta)
    splits = json.loads(folder.splits.read_text())
    assert [splits[part]["samples"] for part in ("train", "validation", "test")] == [1294, 144, 359]
    assert splits["bad_files"] == []


def test_the_configuration_is_whole_and_comes_back(whole):
    saved = RunConfig.load(whole.folder.config)
    assert saved == whole.config == resolve(config(), whole.splits.train)
    assert saved.training.loss == Loss("cross_entropy")
    assert saved.training.optimizer == Adam(beta1=0.9, beta2=0.999, epsilon=1e-8)
    assert saved.training.schedule == {"name": "cosine", "warm_up_epochs": 0.5, "floor": 0.0}
    assert saved.early_stopping == EarlyStoppingSettings(patience=3)
    assert saved.model.options == {"hidden": (12,), "activation": "relu"}


def test_a_saved_configuration_repeats_the_run(whole, tmp_path):
    again = train(RunConfig.load(whole.folder.config), tmp_path / "again", report=False)
    assert again.folder.model.read_bytes() == whole.folder.model.read_bytes()
    assert not again.folder.report.exists()


def test_a_run_killed_and_resumed_ends_with_the_same_file(whole, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        train(config(), folder, Kill(3))
    with pytest.raises(Killed):
        resume(folder, Kill(17))
    with open(RunFolder(folder).log, "a") as log:
        log.write('{"event": "epoch", "epo')
    with pytest.raises(Killed):
        resume(folder, Kill(44))
    (RunFolder(folder).checkpoints / ".step-000000099.safetensors.123.part").write_bytes(b"half")
    run = resume(folder)
    assert run.folder.model.read_bytes() == whole.folder.model.read_bytes()
    assert [e["epoch"] for e in events(run) if e["event"] == "epoch"] == [1, 2, 3, 4]
    resumed = [(e["checkpoint"], e["steps"]) for e in events(run) if e["event"] == "resume"]
    assert resumed == [(None, 0), ("step-000000015.safetensors", 15), ("step-000000040.safetensors", 40)]
    assert not list(folder.rglob("*.part"))


def test_a_run_that_has_ended_is_only_evaluated_again(whole, tmp_path):
    first = train(config(), tmp_path / "run", report=False)
    again = resume(tmp_path / "run", report=False)
    assert again.trainer.progress.step == first.trainer.progress.step
    assert again.evaluation.accuracy == first.evaluation.accuracy
    assert again.folder.model.read_bytes() == whole.folder.model.read_bytes()


def test_an_interrupted_run_is_saved_and_goes_on(whole, tmp_path):
    class Interrupt(Kill):
        def on_step_end(self, trainer):
            if trainer.progress.step == self.step:
                raise KeyboardInterrupt

    run = train(config(), tmp_path / "run", Interrupt(22))
    assert run.history.interrupted
    assert run.evaluation is None
    assert not run.folder.model.exists()
    assert (run.folder.checkpoints / "step-000000022.safetensors").exists()
    assert resume(tmp_path / "run").folder.model.read_bytes() == whole.folder.model.read_bytes()


def test_augmentation_resumes_too(tmp_path):
    moving = Augmentation((Rotation(10.0), Shift(0.1, 0.1)))
    moved = config(training=config().training.changed(augmentation=moving))
    moved = dataclasses.replace(moved, training=TrainingSettings(epochs=2, batch_size=100))
    undisturbed = train(moved, tmp_path / "whole", report=False)
    with pytest.raises(Killed):
        train(moved, tmp_path / "run", Kill(18))
    run = resume(tmp_path / "run", report=False)
    assert run.folder.model.read_bytes() == undisturbed.folder.model.read_bytes()


def test_a_run_goes_on_from_a_saved_model_with_a_new_head(whole, tmp_path):
    model = ModelConfig(name=str(whole.folder.model), new_head=True)
    tuned = config(model=model, training=TrainingSettings(epochs=1, freeze=("linear1",)))
    run = train(tuned, tmp_path / "run", report=False)
    assert np.array_equal(run.model.parameters["linear1.weight"], whole.model.parameters["linear1.weight"])
    assert not np.array_equal(run.model.parameters["linear2.weight"], whole.model.parameters["linear2.weight"])


def test_a_divergence_names_the_last_good_checkpoint(tmp_path):
    wild = config(
        training=TrainingSettings(
            epochs=3, learning_rate=1e30, optimizer={"name": "sgd"}, schedule={"name": "step"}
        ),
        checkpoint=CheckpointConfig(every_steps=1),
    )
    with pytest.raises(DivergenceError, match=r"the loss must be finite; got .* in step") as caught:
        train(wild, tmp_path / "run")
    assert events(tmp_path / "run" / "log.jsonl")[-1]["event"] == "diverged"
    for path in (tmp_path / "run" / "checkpoints").glob("*.safetensors"):
        assert np.isfinite(load(path).theta).all()
        assert "last good checkpoint is" in str(caught.value)


def test_a_divergence_keeps_the_last_good_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "striate.training.trainer.run_schedule", lambda *a: lambda step: 0.01 if step < 30 else 1e30
    )
    wild = config(
        training=TrainingSettings(epochs=3, batch_size=100, optimizer={"name": "sgd"}), early_stopping=None
    )
    with pytest.raises(DivergenceError, match=r"The weights are saved in .*model.safetensors"):
        train(wild, tmp_path / "run")
    model = load(tmp_path / "run" / "model.safetensors")
    assert np.isfinite(model.theta).all()
    assert 0 < model.metadata["steps"] <= 30


def test_a_divergence_in_the_first_step_leaves_no_model(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.training.loop._Loop.steps", lambda loop, order: loop.diverged("nothing", order))
    with pytest.raises(DivergenceError, match="nothing"):
        train(config(), tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_the_model_knows_how_its_files_were_read_also_after_a_resume(tmp_path, monkeypatch):
    known = {"fit": "crop"}
    monkeypatch.setattr(
        "striate.training.run.run.load_splits",
        lambda config, start: dataclasses.replace(load_splits(config, start), preparation=known),
    )
    with pytest.raises(Killed):
        train(config(), tmp_path / "run", Kill(20))
    for checkpoint in (tmp_path / "run" / "checkpoints").glob("step*"):
        assert load(checkpoint).metadata["preparation"] == known
    resume(tmp_path / "run", report=False)
    assert load(tmp_path / "run" / "model.safetensors").metadata["preparation"] == known


def test_folders_must_fit_the_wish(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("striate.training.run.run.load_splits", None)  # it is known before the data are read
    with pytest.raises(
        UsageError, match=r"already holds a run. Continue it with: striate resume .*/whole; or choose"
    ):
        train(config(), whole.folder.path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"precious")
    with pytest.raises(UsageError, match=r"already holds a model, model.safetensors"):
        train(config(), tmp_path / "model")
    with pytest.raises(UsageError, match=r"must be the folder of a run; there is no config.toml in it"):
        resume(tmp_path)


def test_a_run_whose_checkpoints_are_all_damaged_is_refused(tmp_path):
    run = train(config(), tmp_path / "run", report=False)
    for path in run.folder.checkpoints.iterdir():
        path.write_bytes(b"")
    with pytest.raises(ModelFileError, match="first bytes are not those of one"):
        resume(tmp_path / "run")


def test_everything_is_known_before_the_first_step(tmp_path):
    seen = []

    def note(splits, trainer):
        seen.append((len(splits.train), trainer.progress.step))

    train(config(), tmp_path / "run", report=False, prepared=note)
    assert seen == [(1294, 0)]


def test_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    found = with_absolute_paths(RunConfig(data=DataConfig(name="pictures", folder="pictures")))
    assert found.data.name == found.data.folder == str(tmp_path / "pictures")


def test_every_kind_of_value_survives(tmp_path):
    full = RunConfig(
        data=DataConfig(name='odd "name" \\ ü\n\x7f', options=Options(size=(8, 9), group="^[a-z]+")),
        training=TrainingSettings(
            batch_size="full",
            class_weights={"a b": 2.5},
            freeze=("conv*",),
            rates={"conv*": 0.1},
            loss="hinge:2",
            regularisation=Regularisation(clip_norm=1e-5),
        ),
    )
    assert RunConfig.load(full.save(tmp_path / "run.toml")) == full


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data", "run.toml: is not valid TOML"),
        ("[data]\nname = 3", r"run.toml, line 2: data.name: must be text; got 3"),
        ("", r"run.toml: data: is missing"),
        ("data = 3", r"run.toml, line 1: data.name: must be text; got 3"),
        (
            '[data]\nname = "digits"\nfoldr = 1',
            r"run.toml, line 3: data: unknown name 'foldr'; did you mean 'folder'",
        ),
        ('[data]\nname = "digits"\n[data.options]\nsiz = 3', r"line 4: data.options: unknown name 'siz'"),
        (
            '[data]\nname = "digits"\n[trainig]\n',
            "line 3: settings: unknown name 'trainig'; did you mean 'training'",
        ),
        (
            '[data]\nname = "digits"\n[regularisation]\nl1 = -1',
            "line 4: training.regularisation.l1: must be at least 0",
        ),
        (
            '[data]\nname = "digits"\n[augmentation]\ntransforms = [{kind = "turn"}]',
            "line 3: training.augmentation: transform: unknown name 'turn'",
        ),
    ],
)
def test_configurations_that_cannot_mean_anything_are_refused(tmp_path, text, message):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        RunConfig.load(path)


def test_a_missing_configuration_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"none.toml: cannot be read \(No such file or directory\)"):
        RunConfig.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ModelConfig(name="lenet")}, "model: unknown name 'lenet'; did you mean 'lenet5'"),
        ({"model": ModelConfig(name="mlp", new_head=True)}, "a new head is for a saved model; got"),
        ({"model": ModelConfig(name="x.safetensors", options={"a": 1})}, "a saved model has no options; got a"),
        (
            {"data": DataConfig(name="wave.npz"), "training": TrainingSettings(augmentation="rotation:5")},
            "rotation: needs images; the samples are signals of length 70",
        ),
        ({"data": DataConfig(name="digts")}, "data set: no file, folder or data set is called 'digts'"),
    ],
)
def test_runs_that_cannot_mean_anything_are_refused_and_leave_nothing(tmp_path, monkeypatch, changes, message):
    monkeypatch.chdir(tmp_path)
    np.savez("wave.npz", x=np.arange(1400.0).reshape(20, 70), y=np.arange(20) % 2)
    with pytest.raises((UsageError, ShapeError), match=message):
        train(config(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data": DataConfig(name="digits", validation_fraction=0)},
            "early stopping: watches val_loss, which this",
        ),
        (
            {"training": TrainingSettings(loss="hinge", regularisation=SMOOTH)},
            "hinge: needs one class for each sample; got mixup or label",
        ),
    ],
)
def test_what_only_the_data_show_is_refused_before_a_folder_is_made(tmp_path, changes, message):
    with pytest.raises(UsageError, match=message):
        train(config(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("label", ["oak", "7"])
def test_a_table_of_one_class_is_refused(tmp_path, label):
    (tmp_path / "trees.csv").write_text("height,class\n" + "".join(f"{n},{label}\n" for n in range(20)))
    rule = rf"trees\.csv: at least 2 classes are needed; all labels are '{label}'\. Add others"
    with pytest.raises(DataError, match=rule):
        train(config(data=DataConfig(name=str(tmp_path / "trees.csv"))), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_of_version_0_1_goes_on(tmp_path):
    shutil.copytree(Path(__file__).parent / "old" / "run-0.1", tmp_path / "run")
    old = RunConfig.load(tmp_path / "run" / "config.toml")
    assert old.training.regularisation == Regularisation(label_smoothing=0.1, l2=1e-4)
    assert old.training.augmentation == Augmentation((Rotation(5),))
    run = resume(tmp_path / "run", report=False)
    assert (len(run.history), run.trainer.progress.step) == (3, 123)
