from __future__ import annotations

import contextlib
import dataclasses
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from faults import FaultyOS, Killed, faults
from striate import Trainer, load
from striate.errors import ModelFileError, UsageError
from striate.storage import container
from striate.training import Adam, Regularisation
from striate.training.callbacks import Callback, Checkpoint, EarlyStopping, ReduceOnPlateau
from striate.training.callbacks.checkpoint import checkpoints, restore_latest
from striate.training.schedules import cosine
from support.files import read_container, rewrite
from tasks import rich_network, small_network, stripes


def trainer(**arguments) -> Trainer:
    settings = {
        "batch_size": 25,
        "seed": 7,
        "learning_rate": cosine(0.01, 40),
        "regularisation": Regularisation(l2=1e-4, clip_norm=1.0, weight_noise=0.01),
        **arguments,
    }
    return Trainer(rich_network(), **settings)


def callbacks(folder) -> list[Callback]:
    return [
        EarlyStopping(patience=2, min_delta=0.02),
        ReduceOnPlateau(patience=1, factor=0.5, min_delta=0.3),
        Checkpoint(folder, every_steps=4, keep=2),
    ]


class Kill(Callback):
    """Ends a training as if the process had been killed after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, trainer):
        if trainer.progress.step == self.step:
            raise Killed


def timeless(history):
    return [{k: v for k, v in r.to_dict().items() if "second" not in k} for r in history.records]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    whole = trainer()
    whole.fit(stripes(150), stripes(60, 1), epochs=9, callbacks=callbacks(folder))
    assert whole.state.learning_rate_factor < 1
    assert len(whole.history) < 9
    return whole


def test_a_training_killed_again_and_again_ends_with_the_same_bits(undisturbed, tmp_path):
    data, validation = stripes(150), stripes(60, 1)
    for step in (2, 5, 6, 11, 12, 17, 23, None):
        again = trainer()
        found = restore_latest(again.state, tmp_path)
        assert (found is None) == (step in (2, 5)), step
        kill = [] if step is None else [Kill(step)]
        try:
            again.fit(data, validation, epochs=None if found else 9, callbacks=[*callbacks(tmp_path), *kill])
            assert step is None
        except Killed:
            pass
    assert np.array_equal(again.model.theta, undisturbed.model.theta)
    assert np.array_equal(again.model.states, undisturbed.model.states)
    assert timeless(again.history) == timeless(undisturbed.history)
    assert again.history.stop_reason == undisturbed.history.stop_reason
    assert again.model.save(tmp_path / "a").read_bytes() == undisturbed.model.save(tmp_path / "b").read_bytes()


def test_a_finished_training_stays_finished(undisturbed, tmp_path):
    first = trainer()
    first.fit(stripes(150), stripes(60, 1), epochs=9, callbacks=callbacks(tmp_path))
    again = trainer()
    restore_latest(again.state, tmp_path)
    again.fit(stripes(150), stripes(60, 1), epochs=None, callbacks=callbacks(tmp_path))
    assert again.progress.step == first.progress.step
    assert np.array_equal(again.model.theta, first.model.theta)


def test_threads_of_the_resumed_part_change_no_bit(undisturbed, tmp_path):
    data, validation = stripes(150), stripes(60, 1)
    with pytest.raises(Killed):
        trainer(threads=1).fit(data, validation, epochs=9, callbacks=[*callbacks(tmp_path), Kill(9)])
    again = trainer(threads=2)
    restore_latest(again.state, tmp_path)
    again.fit(data, validation, epochs=None, callbacks=callbacks(tmp_path))
    assert np.array_equal(again.model.theta, undisturbed.model.theta)


SCRIPT = """
    import sys
    sys.path[:0] = {paths!r}
    from test_checkpoint import callbacks, restore_latest, stripes, trainer
    from pathlib import Path
    folder = Path({folder!r})
    t = trainer()
    found = restore_latest(t.state, folder)
    print("ready", flush=True)
    t.fit(stripes(150), stripes(60, 1), epochs=None if found else 9, callbacks=callbacks(folder))
    t.model.save(folder / "model.safetensors")
"""


def test_a_process_killed_at_random_moments_ends_with_the_same_bits(undisturbed, tmp_path):
    source = textwrap.dedent(SCRIPT).format(paths=[p for p in sys.path if p], folder=str(tmp_path))
    rng = np.random.default_rng(0)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            try:
                process.wait(rng.uniform(0.02, 0.25))
            except subprocess.TimeoutExpired:
                process.kill()
    subprocess.run([sys.executable, "-c", source], check=True, stdout=subprocess.DEVNULL)
    assert np.array_equal(load(tmp_path / "model.safetensors").theta, undisturbed.model.theta)


def test_no_fault_while_saving_harms_the_previous_checkpoint(tmp_path, monkeypatch):
    data = stripes(50)
    running = trainer()
    running.fit(data, epochs=1, callbacks=Checkpoint(tmp_path))
    first = running.model.theta.copy()
    running.fit(data, epochs=1)
    later = running.model.theta.copy()
    (path,) = checkpoints(tmp_path)
    for kind, at in faults(lambda: running.save_checkpoint(tmp_path / "count"), monkeypatch):
        (tmp_path / "count").unlink(missing_ok=True)
        for place in (path, tmp_path / "step-000000004.safetensors"):
            with monkeypatch.context() as patch:
                patch.setattr("striate.storage.atomic.os", FaultyOS(kind, at))
                with contextlib.suppress(ModelFileError, Killed):
                    running.save_checkpoint(place)
            fresh = trainer()
            restore_latest(fresh.state, tmp_path)
            assert any(np.array_equal(fresh.model.theta, theta) for theta in (first, later)), (kind, at)
            place.unlink(missing_ok=True) if place != path else None


def test_a_checkpoint_is_a_model_too(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1, callbacks=Checkpoint(tmp_path))
    model = load(checkpoints(tmp_path)[0])
    assert np.array_equal(model.theta, running.model.theta)
    assert model.classes == ("a", "b", "c")


def test_the_last_ones_and_the_best_are_kept(data, validation, tmp_path):
    running = trainer(learning_rate=0.02)
    history = running.fit(
        data, validation, epochs=6, callbacks=Checkpoint(tmp_path, every_steps=4, keep=3, least_seconds=0)
    )
    assert [p.name for p in checkpoints(tmp_path)] == [f"step-{n:09d}.safetensors" for n in (30, 32, 36)]
    best = trainer(learning_rate=0.02)
    best.restore(tmp_path / "best.safetensors")
    assert best.progress.epoch == 1 + int(np.argmin(history["val_loss"]))
    assert len(list(tmp_path.iterdir())) == 4


def test_short_epochs_do_not_wait_for_the_disk_and_the_best_is_kept(data, validation, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("striate.training.callbacks.checkpoint.time.monotonic", lambda: now[0])
    epochs: list[tuple[int, bool]] = []

    def look(record):
        now[0] += 0.4
        epochs.append((len(checkpoints(tmp_path)), (tmp_path / "best.safetensors").exists()))

    running = Trainer(small_network(), learning_rate=0.02, batch_size=50)
    running.fit(data, validation, epochs=5, callbacks=[look, Checkpoint(tmp_path, keep=9)])
    assert epochs == [(0, False), (0, False), (0, False), (1, True), (1, True)]
    losses = running.history["val_loss"]
    assert load(tmp_path / "best.safetensors").metadata["epochs"] == 0  # the metadata are written at the end
    best = Trainer(small_network(), learning_rate=0.02, batch_size=50)
    best.restore(tmp_path / "best.safetensors")
    assert best.progress.epoch == 1 + int(np.argmin(losses))
    assert best.model.evaluate(validation).loss == pytest.approx(min(losses))


def test_checkpoints_after_minutes(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1, callbacks=Checkpoint(tmp_path, every_epochs=0, every_minutes=1e-9, keep=9))
    assert len(checkpoints(tmp_path)) == 6


def test_the_end_is_always_saved(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1, callbacks=[Checkpoint(tmp_path, every_epochs=0), lambda record: True])
    assert [p.name for p in checkpoints(tmp_path)] == ["step-000000006.safetensors"]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=2, callbacks=Checkpoint(tmp_path, least_seconds=0))
    older, newest = checkpoints(tmp_path)
    newest.write_bytes(newest.read_bytes()[:-100])
    fresh = trainer()
    assert restore_latest(fresh.state, tmp_path) == older
    assert fresh.progress.step == 6
    older.write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"step-000000012.safetensors: is truncated"):
        restore_latest(trainer().state, tmp_path)
    assert restore_latest(trainer().state, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": 8}, "training must continue with the settings it began with; seed was 7, got 8"),
        ({"batch_size": 24}, "batch_size was 25, got 24"),
        ({"optimizer": "sgd"}, "optimizer was .*adam.*, got .*gradient_descent"),
        ({"optimizer": Adam(beta1=0.8)}, "optimizer was .*0.9.* got .*0.8"),
        ({"regularisation": None}, "regularisation was .* got"),
        ({"class_weights": [1, 2, 3]}, r"class_weights was None, got \[1.0, 2.0, 3.0\]"),
        ({"class_weights": {"a": 2.0}}, "class_weights was None, got {'a': 2.0}"),
        ({"freeze": "conv*"}, "rates was {}, got"),
    ],
)
def test_other_settings_cannot_go_on(data, tmp_path, arguments, message):
    running = trainer()
    running.fit(data, epochs=1)
    path = running.save_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(UsageError, match=message):
        trainer(**arguments).restore(path)


def test_another_network_or_a_model_cannot_go_on(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1)
    with pytest.raises(UsageError, match="the network it began with, 'rich'; got another, 'small'"):
        Trainer(small_network(side=9)).restore(running.save_checkpoint(tmp_path / "checkpoint"))
    with pytest.raises(ModelFileError, match="this is a model, not a checkpoint; start a new run"):
        trainer().restore(running.model.save(tmp_path / "model"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, t: c.pop("training"), "the training state is missing"),
        (lambda c, t: c["training"].pop("settings"), "the training state is missing"),
        (lambda c, t: c["training"]["settings"].update(optimizer={"name": {}}), "the settings it began with"),
        (lambda c, t: c["training"].pop("progress"), "the training state is damaged"),
        (lambda c, t: c["training"].update(history=[{"epoch": 1}]), "the training state is damaged"),
        (lambda c, t: t.pop("training/first"), "the training state is damaged"),
        (lambda c, t: t.update({"training/first": np.zeros(3)}), "the training state is damaged"),
    ],
)
def test_a_state_that_is_not_one_is_refused(data, tmp_path, change, message):
    running = trainer()
    running.fit(data, epochs=1)
    content, tensors = read_container(running.save_checkpoint(tmp_path / "checkpoint"))
    change(content, tensors)
    path = container.write(tmp_path / "changed", content, tensors)
    fresh = trainer()
    theta = fresh.model.theta.copy()
    with pytest.raises((ModelFileError, UsageError), match=message):
        fresh.restore(path)
    assert np.array_equal(fresh.model.theta, theta)
    assert fresh.progress.step == 0


def test_parameters_that_are_no_numbers_are_not_saved(data, tmp_path):
    running = trainer()
    callback = Checkpoint(tmp_path)
    running.fit(data, epochs=1, callbacks=callback)
    running.model.theta[0] = np.nan
    running.state.publish()
    assert callback.save(running.state) is None
    assert len(checkpoints(tmp_path)) == 1


@dataclasses.dataclass(frozen=True)
class OwnAdam(Adam):
    """An optimizer of the user's own."""


def test_an_optimizer_of_ones_own_continues_too(data, tmp_path):
    def make():
        return Trainer(small_network(), optimizer=OwnAdam(), seed=1)

    whole, part, again = make(), make(), make()
    whole.fit(data, epochs=2)
    part.fit(data, epochs=2, callbacks=lambda record: record.epoch == 1)
    part.save_checkpoint(tmp_path / "checkpoint")
    again.restore(tmp_path / "checkpoint")
    again.state.stop_reason = None
    again.fit(data, epochs=None)
    assert np.array_equal(again.model.theta, whole.model.theta)
    with pytest.raises(UsageError, match=r"optimizer was .*OwnAdam"):
        Trainer(small_network(), optimizer="adam", seed=1).restore(tmp_path / "checkpoint")


def test_a_trainer_that_has_trained_can_go_back(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1)
    path = running.save_checkpoint(tmp_path / "checkpoint")
    running.fit(data, epochs=1)
    later = running.model.theta.copy()
    running.restore(path)
    running.fit(data, epochs=1)
    assert np.array_equal(running.model.theta, later)


def test_a_trainer_that_went_back_can_be_copied(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1)
    path = running.save_checkpoint(tmp_path / "checkpoint")
    running.fit(data, epochs=1)
    running.restore(path)
    assert np.array_equal(pickle.loads(pickle.dumps(running)).model.theta, load(path).theta)


def test_a_checkpoint_of_version_0_1_without_augmentation_goes_on(data, tmp_path):
    running = Trainer(small_network(), optimizer="adam", learning_rate=0.01)
    running.fit(data, epochs=1)

    def as_0_1(content, tensors):
        settings = content["training"]["settings"]
        settings["optimizer_arguments"] = {k: v for k, v in settings["optimizer"].items() if k != "name"}
        settings.update(optimizer="Adam", augmentation=None)

    path = rewrite(running.save_checkpoint(tmp_path / "checkpoint"), as_0_1)
    running.restore(path)
    assert np.array_equal(running.model.theta, load(path).theta)


def test_a_checkpoint_holds_what_the_session_learnt_last(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1)
    running.state.session.vectors.theta[:3] = 7.0
    assert load(running.save_checkpoint(tmp_path / "checkpoint")).theta[:3].tolist() == [7.0] * 3


def test_between_epochs_no_time_has_passed(data, tmp_path):
    running = trainer()
    running.fit(data, epochs=1)
    content, _ = read_container(running.save_checkpoint(tmp_path / "checkpoint"))
    assert content["training"]["seconds"] == 0.0


def test_arrays_of_callbacks_may_have_any_name(data, tmp_path):
    running, again = trainer(), trainer()
    running.fit(data, epochs=1)
    running.state.restored = {"mine": {"a/b/c": np.arange(3), "d": 4}}
    again.restore(running.save_checkpoint(tmp_path / "checkpoint"))
    kept = again.state.restored["mine"]
    assert kept["a/b/c"].tolist() == [0, 1, 2]
    assert kept["d"] == 4
