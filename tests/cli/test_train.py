"""``striate train``: what it prints, saves and refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry
from striate.training.run import RunConfig

from .helpers import last_json, write_idx

QUICK = ("--model", "logistic_regression", "--epochs", 1)


def test_a_run_ends_with_a_report_and_a_model(run, tmp_path):
    result = run("train", "digits", "--epochs", 3, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert "digits: 1,294 training, 144 validation, 359 test samples of 1 x 8 x 8, 10 classes" in text
    assert [line.split("  ")[0] for line in text.splitlines() if line.startswith("epoch")] == [
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    for words in ("test accuracy", "confusion matrix", "confused most", "images/s", "model saved:"):
        assert words in text
    model = striate.load(tmp_path / "run" / "model.safetensors")
    assert model.classes == tuple("0123456789")


def test_json_is_the_last_line_and_true(run, tmp_path):
    result = run("train", "digits", "--epochs", 2, "--json", "--out", tmp_path)
    assert len(result.stdout.splitlines()) == 1  # text for people goes to standard error
    values = last_json(result)
    assert {
        "test_accuracy",
        "test_loss",
        "epochs",
        "train_seconds",
        "samples_per_second",
        "parameters",
        "model",
    } <= set(values)
    model = striate.load(values["model"])
    from striate.data import registry

    test = model.evaluate(registry.load("digits").test)
    assert values["test_accuracy"] == test.accuracy
    assert values["test_loss"] == pytest.approx(test.loss)
    assert values["epochs"] == 2
    assert values["parameters"] == len(model.theta)
    assert values["train_seconds"] > 0


def test_the_default_command_reaches_what_it_promises(run, tmp_path):
    result = run("train", "digits", "--json", "--out", tmp_path)
    assert last_json(result)["test_accuracy"] >= 0.975


def test_same_seed_same_bits_for_any_number_of_threads(run, tmp_path):
    thetas = []
    for threads in (1, 2):
        result = run(
            "train", "digits", "--epochs", 2, "--threads", threads, "--seed", 5, "--out", tmp_path / str(threads)
        )
        assert result.exit_code == 0
        thetas.append(striate.load(tmp_path / str(threads) / "model.safetensors").theta)
    assert np.array_equal(*thetas)


def test_another_seed_gives_another_model(run, tmp_path):
    for seed in (0, 1):
        run("train", "digits", *QUICK, "--seed", seed, "--out", tmp_path / str(seed))
    first, second = (striate.load(tmp_path / str(seed) / "model.safetensors").theta for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_idx_files_from_a_folder(run, idx_folder, tmp_path):
    result = run("train", "mnist", *QUICK, "--data-dir", idx_folder, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "of 1 x 28 x 28, 10 classes" in result.stdout


def test_no_validation_part(run, tmp_path):
    result = run("train", "digits", *QUICK, "--validation", 0, "--out", tmp_path)
    assert result.exit_code == 0
    assert "validation loss" not in result.stdout
    assert "digits: 1,438 training, 359 test samples" in result.stdout


def test_without_out_every_run_gets_a_folder_of_its_own(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("train", "digits", *QUICK).exit_code == 0
    models = sorted(str(path) for path in Path("runs").rglob("model.safetensors"))
    assert models == [
        "runs/digits-logistic_regression-2/model.safetensors",
        "runs/digits-logistic_regression/model.safetensors",
    ]


def test_a_run_that_is_there_is_left_alone(run, refused, tmp_path):
    run("train", "digits", *QUICK, "--out", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    line = refused("train", "digits", *QUICK, "--seed", 1, "--out", tmp_path, status=2)
    assert f"already holds a run. Continue it with: striate resume {tmp_path}; or choose another" in line
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_training_goes_on_from_a_saved_model(run, trained, tmp_path):
    before = striate.load(trained)
    result = run("train", "digits", "--model", trained, "--learning-rate", 0, "--epochs", 1, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert np.array_equal(striate.load(tmp_path / "model.safetensors").theta, before.theta)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digit"], "data set: no file, folder or data set is called 'digit'; did you mean 'digits'?"),
        (["digits", "--model", "lenet"], "model: unknown name 'lenet'; did you mean 'lenet5'"),
        (["digits", "--optimizer", "adma"], "optimizer: unknown name 'adma'; did you mean 'adam"),
        (["digits", "--learning-rate", "-1"], "--learning-rate: must be at least 0; got -1"),
        (["digits", "--learning-rate", "nan"], "--learning-rate: must be finite; got nan"),
        (["digits", "--epochs", "0"], "epochs: must be at least 1; got 0"),
        (["digits", "--batch-size", "0"], "--batch-size: must be at least 1; got 0"),
        (["digits", "--batch-size", "many"], "--batch-size: must be a whole number; got 'many'. Or write 'full'."),
        (["digits", "--schedule", "cosin"], "schedule: unknown name 'cosin'; did you mean 'cosine'"),
        (["digits", "--schedule", "step:x"], "--schedule: each colon must be followed by a number"),
        (["digits", "--schedule", "cosine:1"], "--schedule: cosine takes no number; got 'cosine:1'"),
        (["digits", "--augment", "rotate:3"], "--augment: transform: unknown name 'rotate'"),
        (["digits", "--sampling", "fair"], "sampling"),
        (["digits", "--class-weights", "fair"], "--class-weights: unknown name 'fair'"),
        (["digits", "--freeze", "nothing*"], "nothing*"),
        (["digits", "--rate", "nothing=1"], "a pattern must match a parameter; got 'nothing'"),
        (["digits", "--class-weights", "x=1"], "class weights: class: unknown name 'x'"),
        (["digits", "--class-weights", "even"], "--class-weights: unknown name 'even'"),
        (["digits", "--early-stopping", "x"], "--early-stopping: must be EPOCHS"),
        (["digits", "--label-smoothing", "1"], "--label-smoothing: must be at least 0 and below 1"),
        (["digits", "--size", "big"], "--size"),
        (["digits", "--new-head"], "a new head is for a saved model"),
        (["--epochs", "1"], "train: needs a data set. Try"),
        (["--config", "none.toml"], "none.toml: cannot be read"),
        (["digits", "--threads", "0"], "threads: must be at least 1; got 0"),
        (["digits", "--seed", "-1"], "--seed: must be at least 0; got -1"),
        (["digits", "--validation", "1"], "--validation: must be at least 0 and below 1; got 1"),
        (["digits", "--initial", "hee"], "did you mean 'he'"),
    ],
)
def test_wrong_use(refused, tmp_path, arguments, words):
    assert words in refused("train", *arguments, "--out", tmp_path / "out", status=2)
    assert not (tmp_path / "out" / "model.safetensors").exists()


def _lie(folder):
    (folder / "train-images-idx3-ubyte.gz").unlink()
    head = bytes([0, 0, 8, 3]) + (2**31).to_bytes(4, "big") + (28).to_bytes(4, "big") * 2
    (folder / "train-images-idx3-ubyte").write_bytes(head + bytes(1000))


def _truncate(folder):
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-500])


def _swap(folder):
    images, labels = folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
    held = images.read_bytes()
    images.write_bytes(labels.read_bytes())
    labels.write_bytes(held)


def _disagree(folder):
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.zeros(39, np.uint8))


def _empty(folder):
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", np.zeros((0, 28, 28), np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", np.zeros(0, np.uint8))


def _lonely(folder):
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.array([3, *[7] * 39], np.uint8))


def _remove(folder):
    (folder / "train-labels-idx1-ubyte.gz").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_lie, "train-images-idx3-ubyte"),
        (_truncate, "train-images-idx3-ubyte.gz"),
        (_swap, "t10k-images-idx3-ubyte.gz"),
        (_disagree, "40 images here and 39 labels"),
        (_empty, "at least one"),
        (_lonely, "class '3' has 1"),
        (_remove, "train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz is missing"),
    ],
)
def test_spoilt_data(refused, idx_folder, tmp_path, spoil, words):
    spoil(idx_folder)
    line = refused("train", "mnist", *QUICK, "--data-dir", idx_folder, "--out", tmp_path / "out", status=1)
    assert words in line
    assert not (tmp_path / "out").exists()


def test_no_such_folder(refused, tmp_path):
    assert "no such folder" in refused("train", "mnist", "--data-dir", tmp_path / "none", status=1)
    assert "no such file or folder" in refused("train", tmp_path / "none.csv", status=1)


def test_an_out_that_cannot_be_written_is_known_before_training(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "file" in refused("train", "digits", *QUICK, "--out", tmp_path / "file" / "out", status=1)


def test_a_model_for_other_samples(refused, trained, idx_folder, tmp_path):
    line = refused(
        "train", "mnist", "--model", trained, "--data-dir", idx_folder, "--out", tmp_path / "o", status=2
    )
    assert "1 x 28 x 28" in line
    assert "1 x 8 x 8" in line


def test_a_loss_that_grows_beyond_all_bounds(refused, tmp_path):
    arguments = ("--optimizer", "sgd", "--learning-rate", "1e30", "--out", tmp_path)
    line = refused("train", "digits", *arguments, status=1)
    assert "the loss must be finite; got" in line
    assert "in step " in line
    assert not (tmp_path / "model.safetensors").exists()  # there were no good weights yet


def test_the_last_good_weights_are_kept(refused, tmp_path, monkeypatch):
    from striate.training import trainer

    monkeypatch.setattr(trainer, "run_schedule", lambda *arguments: lambda step: 0.01 if step < 50 else 1e30)
    line = refused("train", "digits", "--optimizer", "sgd", "--out", tmp_path, status=1)
    model = tmp_path / "model.safetensors"
    assert f"The weights are saved in {model}." in line
    assert np.isfinite(striate.load(model).theta).all()


def test_a_full_disk_leaves_what_was_there(run, tmp_path, monkeypatch):
    from striate.storage import atomic

    write, written = os.write, 0

    def full(handle, data):
        nonlocal written
        written += len(data)
        if written > 100_000:
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(atomic.os, "write", full)
    result = run("train", "digits", *QUICK[:2], "--epochs", 30, "--out", tmp_path)
    monkeypatch.undo()
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr.splitlines()[-1]
    saved = sorted((tmp_path / "checkpoints").glob("*.safetensors"))
    assert saved
    assert all(striate.load(path).network.name == "logistic_regression" for path in saved)
    assert run("resume", tmp_path).exit_code == 0


def test_ctrl_c_saves_and_the_run_goes_on(run, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    arguments = ["train", "digits", "--epochs", "100", "--augment", "none", "--out"]  # more than it can end in
    command = [sys.executable, "-m", "striate", *arguments, str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "epoch" not in process.stdout.readline():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors
    line = errors.strip().splitlines()[-1]
    assert line.startswith("striate: interrupted after ")
    assert line.endswith(f"Continue with: striate resume {out}")
    assert "Traceback" not in errors
    assert not (out / "model.safetensors").exists()
    resumed = run("resume", out, "--json")
    assert resumed.exit_code == 0, resumed.output
    assert last_json(resumed)["epochs"] == 100
    assert run(*arguments, whole).exit_code == 0
    ends = [striate.load(folder / "model.safetensors").theta for folder in (out, whole)]
    assert np.array_equal(*ends)


def test_a_configuration_repeats_a_run(run, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("train", "digits", *QUICK, "--seed", 7, "--augment", "shift:0.1", "--out", first).exit_code == 0
    assert run("train", "--config", first / "config.toml", "--out", second).exit_code == 0
    ends = [striate.load(folder / "model.safetensors").theta for folder in (first, second)]
    assert np.array_equal(*ends)


def test_everything_about_learning_reaches_the_run(run, tmp_path):
    options = (
        "--early-stopping 2:0.01:val_accuracy --reduce-on-plateau 1:0.5 --rate conv1=0.1 --weighted-validation "
        "--checkpoint-steps 20 --sampling balanced --label-smoothing 0.1 --l1 1e-5 --l2 1e-4 --weight-decay 0.01 "
        "--csv-log --max-norm 3 --clip-norm 1 --clip-value 0.5 --weight-noise 0.01 --schedule one_cycle --warm-up 1"
    )
    weights = ["--class-weights", "3=2 5=0.5"]
    result = run("train", "digits", "--epochs", 2, *options.split(), *weights, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    config = RunConfig.load(tmp_path / "run" / "config.toml")
    assert config.training.class_weights == {"3": 2.0, "5": 0.5}
    assert config.early_stopping.monitor == "val_accuracy"
    assert config.training.rates == {"conv1": 0.1}
    again = run("resume", tmp_path / "run")
    assert again.exit_code == 0, again.output
    assert [line.split(",")[0] for line in (tmp_path / "run" / "log.csv").read_text().splitlines()] == [
        "epoch",
        "1",
        "2",
    ]


def test_events_for_tensorboard_need_tensorboard(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    result = run("train", "digits", *QUICK, "--tensorboard", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "tensorboard, which is not installed. Run: pip install 'striate[tensorboard]'" in result.output
    assert not (tmp_path / "run" / "config.toml").exists()


def test_a_configuration_keeps_lists_and_options_that_nothing_was_typed_for(run, tmp_path):
    file = tmp_path / "run.toml"
    lines = ["[data]", 'name = "digits"', "[model]", 'name = "mlp"', "[model.options]", "hidden = [9]"]
    file.write_text("\n".join([*lines, "[training]", "epochs = 1", 'freeze = ["linear1"]']))
    result = run("train", "--config", file, "--no-report", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    saved = RunConfig.load(tmp_path / "run" / "config.toml")
    assert saved.model.options["hidden"] == (9,)
    assert saved.training.freeze == ("linear1",)


def test_options_go_before_a_configuration(run, tmp_path):
    run("train", "digits", *QUICK, "--out", tmp_path / "first")
    result = run(
        "train",
        "--config",
        tmp_path / "first" / "config.toml",
        "--epochs",
        2,
        "--out",
        tmp_path / "second",
        "--json",
    )
    assert last_json(result)["epochs"] == 2


def test_a_report_is_written_unless_it_is_not_wanted(run, tmp_path):
    assert "report: " in run("train", "digits", *QUICK, "--out", tmp_path / "a").stdout
    assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    run("train", "digits", *QUICK, "--no-report", "--out", tmp_path / "b")
    assert not (tmp_path / "b" / "report.html").exists()


def test_nothing_to_resume(refused, tmp_path):
    assert "must be the folder of a run" in refused("resume", tmp_path, status=2)
    (tmp_path / "journal.log").touch()
    assert "holds a search, not a run. To continue it, run its" in refused("resume", tmp_path, status=2)


def test_ctrl_c_before_the_first_step_says_how_to_go_on(run, tmp_path, monkeypatch):
    def stop(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    arguments = ["train", "digits", *QUICK, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr("striate.training.trainer.Trainer.fit", stop)
        result = run(*arguments)
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line == f"striate: interrupted. Continue with: striate resume {tmp_path / 'run'}"
    assert run("resume", tmp_path / "run").exit_code == 0


def test_a_report_that_is_interrupted_says_that_the_model_is_saved(run, tmp_path, monkeypatch):
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("striate.report.write_report", stop)
    result = run("train", "digits", "--epochs", 1, "--out", tmp_path / "run")
    assert result.exit_code == 1
    saved = tmp_path / "run" / "model.safetensors"
    assert saved.exists()
    assert f"interrupted while writing the report; the model is saved: {saved}" in " ".join(result.stderr.split())


def test_the_folder_of_runs_is_no_class(run, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for label in ("dark", "light"):
        (tmp_path / label).mkdir()
        for number in range(10):
            pixels = rng.integers(0, 90, (8, 8)) + 120 * (label == "light")
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / label / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        result = run("train", ".", "--epochs", 1, "--model", "mlp", "--no-report", "--json")
        assert result.exit_code == 0, result.output
        assert last_json(result)["classes"] == ["dark", "light"]
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_a_neocognitron_is_trained_and_explained(run, refused, tmp_path):
    path = tmp_path / "neo.safetensors"
    digits = registry.load("digits").train
    large = np.kron(digits.inputs[:200], np.ones((3, 3))).astype(np.float32) / 16
    np.savez(tmp_path / "digits.npz", x=large, y=digits.targets[:200])
    told = last_json(run("neocognitron", tmp_path / "digits.npz", "--out", path, "--unsupervised", 10, "--json"))
    assert told["samples"] > 0
    assert told["file"] == str(path)
    np.save(tmp_path / "digit.npy", large[0])
    told = run("why", path, tmp_path / "digit.npy", "--layer", "s2")
    assert "excitation e = " in told.stdout
    assert "threshold r/(1 + r) = 0.600" in told.stdout
    assert "must be 1 to" in refused("neocognitron", tmp_path / "digits.npz", "--samples", 10**6, status=2)
