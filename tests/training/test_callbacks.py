from __future__ import annotations

import csv

import numpy as np
import pytest

from striate import Trainer
from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.training.callbacks import (
    CSVLog,
    EarlyStopping,
    FunctionCallback,
    ProgressHook,
    ReduceOnPlateau,
    TensorBoardLog,
)
from striate.training.history import EpochRecord
from tasks import small_network


def record(epoch, value, rate=0.1):
    return EpochRecord(epoch, value, value, value, value, rate, epoch, 1.0, 1.0)


class FakeTrainer:
    """What callbacks see of a trainer."""

    class model:
        theta = np.zeros(1, np.float32)
        states = np.zeros(0, np.float32)

    def __init__(self):
        self.stopped, self.learning_rate_factor = None, 1.0
        self.model.theta = np.zeros(1, np.float32)

    def stop(self, reason):
        self.stopped = reason

    def publish(self):
        pass

    class history:
        interrupted = False


def run(callback, values):
    """Return the epoch after which the callback stops, or None."""
    trainer = FakeTrainer()
    for epoch, value in enumerate(values, 1):
        trainer.model.theta[:] = epoch
        callback.on_epoch_end(trainer, record(epoch, value))
        if trainer.stopped:
            break
    callback.on_train_end(trainer, trainer.history)
    return (epoch if trainer.stopped else None), int(trainer.model.theta[0])


@pytest.mark.parametrize(
    ("arguments", "values", "stops", "theta"),
    [
        ({"patience": 2}, [5, 4, 3, 4, 4, 4], 5, 3),
        ({"patience": 2}, [5, 4, 3, 4, 2, 4], None, 5),
        ({"patience": 0}, [5, 4, 3, 4], 4, 3),
        ({"patience": 0}, [3, 3], 2, 1),
        ({"patience": 2, "min_delta": 1.5}, [5, 4, 3, 2], None, 3),
        ({"patience": 2, "min_delta": 2.5}, [5, 4, 3, 2], 3, 1),
        ({"patience": 2, "monitor": "val_accuracy"}, [1, 2, 3, 2, 2], 5, 3),
        ({"patience": 2, "monitor": "accuracy", "mode": "min"}, [3, 2, 3, 3], 4, 2),
        ({"patience": 2, "restore_best_weights": False}, [5, 4, 3, 4, 4], 5, 5),
        ({"patience": 2, "start_from_epoch": 3}, [1, 1, 1, 5, 4, 6, 6], 7, 5),
        ({"patience": 2, "baseline": 2.0}, [5, 4, 3, 1.5], 2, 2),
        ({"patience": 3, "baseline": 2.0}, [5, 1, 3, 3, 3], 5, 2),
        ({"patience": 2}, [3, float("nan"), float("nan")], 3, 1),
    ],
)
def test_early_stopping_stops_as_that_of_keras(arguments, values, stops, theta):
    assert run(EarlyStopping(**arguments), values) == (stops, theta)


def test_early_stopping_gives_the_trainer_its_best_parameters(data, validation):
    thetas = []
    targets = np.where(np.arange(60) < 25, (validation.targets + 1) % 3, validation.targets)
    validation = Dataset(validation.inputs, targets, validation.classes)
    trainer = Trainer(small_network(), learning_rate=0.01, batch_size=25, seed=1)
    history = trainer.fit(
        data,
        validation,
        epochs=30,
        callbacks=[EarlyStopping(patience=3), lambda _: thetas.append(trainer.model.theta.copy())],
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history) == best + 4
    assert history.stop_reason == "val_loss did not improve for 3 epochs"
    assert np.array_equal(trainer.model.theta, thetas[best])


def test_plateaus_lower_the_rate_as_keras_does():
    callback, trainer, rates = ReduceOnPlateau(factor=0.5, patience=2, cooldown=2, floor=0.03), FakeTrainer(), []
    for epoch, value in enumerate([5, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3], 1):
        rates.append(round(0.1 * trainer.learning_rate_factor, 12))
        callback.on_epoch_end(trainer, record(epoch, value, rates[-1]))
    assert rates == [0.1] * 4 + [0.05] * 3 + [0.03] * 9


def test_plateaus_need_a_change_that_counts():
    callback, trainer = ReduceOnPlateau(patience=1, min_delta=0.5), FakeTrainer()
    for epoch, value in enumerate([5, 4.8], 1):
        callback.on_epoch_end(trainer, record(epoch, value))
    assert trainer.learning_rate_factor == 0.1


def test_the_lower_rate_is_used(data):
    trainer = Trainer(small_network(), learning_rate=0.0)
    trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: 1e-12)
    history = trainer.fit(data, epochs=4, callbacks=ReduceOnPlateau("loss", patience=1, factor=0.5))
    assert history["learning_rate"] == pytest.approx([1e-12, 1e-12, 5e-13, 2.5e-13])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: EarlyStopping("val_los"),
            "early_stopping.monitor: unknown name 'val_los'; did you mean 'val_loss'",
        ),
        (lambda: EarlyStopping(mode="up"), "early_stopping.mode: unknown name 'up'"),
        (lambda: EarlyStopping(patience=-1), "early_stopping.patience: must be at least 0; got -1"),
        (lambda: ReduceOnPlateau(factor=1.0), "reduce_on_plateau.factor: must be above 0 and below 1; got 1"),
        (lambda: EarlyStopping(min_delta=-1), "early_stopping.min_delta: must be at least 0; got -1"),
        (lambda: ProgressHook(print, seconds=-1), "progress: seconds: must be at least 0; got -1"),
    ],
)
def test_arguments_that_cannot_mean_anything_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


def test_a_figure_that_training_does_not_have_is_refused(data):
    with pytest.raises(UsageError, match="early stopping: watches val_loss, which this training does not have"):
        Trainer(small_network()).fit(data, epochs=1, callbacks=EarlyStopping())


def test_the_table_holds_every_epoch_once(data, validation, tmp_path):
    trainer = Trainer(small_network())
    for _ in range(2):
        history = trainer.fit(data, validation, epochs=2, callbacks=CSVLog(tmp_path / "log.csv"))
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["val_loss"]) for row in rows] == history["val_loss"]


def test_progress_is_shown_now_and_then(data):
    shown = []
    trainer = Trainer(small_network(), batch_size=10)
    trainer.fit(data, epochs=2, callbacks=ProgressHook(lambda p: shown.append((p.step, p.batches, p.epochs)), 1e9))
    assert shown == [(1, 15, 2), (30, 15, 2)]
    shown.clear()
    trainer.fit(data, epochs=1, callbacks=ProgressHook(lambda p: shown.append(p.seconds_left), 0))
    assert len(shown) == 16
    assert all(seconds >= 0 for seconds in shown)


def test_progress_counts_an_epoch(data):
    seen = []

    def note(progress):
        seen.append((progress.epoch, progress.batch, progress.samples, progress.loss, progress.accuracy))

    trainer = Trainer(small_network(), batch_size=60)
    history = trainer.fit(data, epochs=2, callbacks=FunctionCallback(on_step_end=note))
    assert [s[:3] for s in seen] == [(e, b, n) for e in (0, 1) for b, n in ((1, 60), (2, 120), (3, 150))]
    assert seen[2][3:] == (history["loss"][0], history["accuracy"][0])


def test_tensorboard_gets_the_figures(data, validation, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = Trainer(small_network()).fit(data, validation, epochs=3, callbacks=TensorBoardLog(tmp_path))
    events = EventAccumulator(str(tmp_path)).Reload()
    for key in ("loss", "val_accuracy", "learning_rate"):
        scalars = events.Tensors(key)
        assert [e.step for e in scalars] == [1, 2, 3]
        assert [e.tensor_proto.float_val[0] for e in scalars] == pytest.approx(history[key], rel=1e-6)


def test_tensorboard_must_be_installed(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.summary", None)
    with pytest.raises(UsageError, match="TensorBoard log: needs tensorboard, which is not installed"):
        TensorBoardLog(tmp_path)
