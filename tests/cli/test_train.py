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

import striate
from striate.cli.train import default_epochs

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
        "images_per_second",
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


def test_a_model_that_was_there_is_kept(run, tmp_path):
    for seed in (0, 1):
        result = run("train", "digits", *QUICK, "--seed", seed, "--out", tmp_path)
    assert "model.previous.safetensors" in result.stdout
    assert striate.load(tmp_path / "model.previous.safetensors").facts["seed"] == 0
    assert striate.load(tmp_path / "model.safetensors").facts["seed"] == 1


def test_training_goes_on_from_a_saved_model(run, trained, tmp_path):
    before = striate.load(trained)
    result = run("train", "digits", "--model", trained, "--learning-rate", 0, "--epochs", 1, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert np.array_equal(striate.load(tmp_path / "model.safetensors").theta, before.theta)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digit"], "data set: unknown name 'digit'; did you mean 'digits'?"),
        (["digits", "--model", "lenet"], "model: unknown name 'lenet'; did you mean 'lenet5'"),
        (["digits", "--optimizer", "adma"], "optimizer: unknown name 'adma'; did you mean 'adam'"),
        (["digits", "--learning-rate", "-1"], "learning rate: must be at least 0; got -1"),
        (["digits", "--learning-rate", "nan"], "learning rate: must be finite; got nan"),
        (["digits", "--epochs", "0"], "epochs: must be at least 1; got 0"),
        (["digits", "--batch-size", "0"], "batch size: must be at least 1; got 0"),
        (["digits", "--threads", "0"], "threads: must be at least 1; got 0"),
        (["digits", "--seed", "-1"], "seed: must be an integer from 0"),
        (["digits", "--validation", "1"], "validation: must be from 0 to below 1; got 1.0"),
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

    def soon_too_large(rate):
        return lambda step: 0.01 if step < 50 else 1e30

    monkeypatch.setattr(trainer, "as_schedule", soon_too_large)
    line = refused("train", "digits", "--optimizer", "sgd", "--out", tmp_path, status=1)
    model = tmp_path / "model.safetensors"
    assert f"They are saved in {model}." in line
    assert np.isfinite(striate.load(model).theta).all()


def test_a_full_disk_leaves_what_was_there(run, tmp_path, monkeypatch):
    from striate.storage import atomic

    assert run("train", "digits", *QUICK, "--out", tmp_path).exit_code == 0
    before = (tmp_path / "model.safetensors").read_bytes()

    def full(handle, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "write", full)
    result = run("train", "digits", *QUICK, "--seed", 1, "--out", tmp_path)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr.splitlines()[-1]
    kept = [path.read_bytes() for path in tmp_path.glob("*.safetensors")]
    assert kept == [before]


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "striate", "train", "digits", "--epochs", "1000000", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "epoch" not in process.stdout.readline():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    line = errors.strip().splitlines()[-1]
    assert line.startswith("striate: interrupted in epoch")
    model = str(tmp_path / "model.safetensors")
    assert f"striate train digits --model {model} --epochs" in line
    assert np.isfinite(striate.load(model).theta).all()
    assert "Traceback" not in errors


def test_a_cache_that_cannot_be_written_costs_one_warning(tmp_path):
    (tmp_path / "file").touch()
    environment = {**os.environ, "STRIATE_CACHE_DIR": str(tmp_path / "file" / "cache")}
    command = [sys.executable, "-m", "striate", "train", "digits", "--model", "logistic_regression"]
    done = subprocess.run(
        [*command, "--epochs", "1", "--out", str(tmp_path / "out")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stderr.splitlines() if "warning" in line.lower()]
    assert len(warned) == 1
    assert "cannot be written" in warned[0]


@pytest.mark.parametrize(("samples", "epochs"), [(10, 40), (1_500, 40), (3_000, 20), (60_000, 10), (10**7, 10)])
def test_small_sets_get_more_epochs(samples, epochs):
    assert default_epochs(samples) == epochs
