from __future__ import annotations

import inspect
import math
import os
import signal
from fractions import Fraction

import numpy as np
import pytest

from striate import Trainer
from striate.cli.configuration import run_config
from striate.data.dataset import Dataset
from striate.errors import DivergenceError, ShapeError, UsageError
from striate.layers import Flatten, Linear, ReLU
from striate.network import Sequential
from striate.reference.executor import backward, forward
from striate.reference.loss import softmax_cross_entropy
from striate.training import GradientDescent
from striate.training.callbacks import Callback, FunctionCallback
from striate.training.order import balanced_order, epoch_order
from striate.training.run.resolve import resolve
from striate.training.schedules import cosine, schedule_arguments
from tasks import line, rich_network, small_network, stripes


def test_a_network_learns_and_says_how_it_went(data, validation):
    trainer = Trainer(small_network(), learning_rate=0.01, batch_size=32, seed=3)
    history = trainer.fit(data, validation, epochs=12)
    assert history["epoch"] == list(range(1, 13))
    assert history["steps"] == list(range(5, 61, 5))
    assert history["loss"][-1] < 0.1 < history["loss"][0]
    assert history["val_accuracy"][-1] > 0.95
    assert min(history["samples_per_second"]) > 0
    assert not history.interrupted
    evaluation = trainer.model.evaluate(validation)
    assert evaluation.accuracy == history["val_accuracy"][-1]
    assert evaluation.loss == pytest.approx(history["val_loss"][-1], rel=1e-12)
    assert trainer.model.metadata["epochs"] == 12
    assert trainer.model.classes == ("a", "b", "c")


def test_a_trainer_and_its_history_say_what_they_are(data):
    trainer = Trainer(small_network())
    assert repr(trainer) == f"<Trainer of {trainer.network.name} with Adam: 0 epochs trained>"
    history = trainer.fit(data, epochs=1)
    assert repr(trainer).endswith("1 epoch trained>")
    with pytest.raises(UsageError, match=r"needs the name of a metric; got -1. .* history.records\[-1\]"):
        history[-1]
    with pytest.raises(UsageError, match="unknown name 'val_los'; did you mean 'val_loss'"):
        history["val_los"]


def test_same_seed_same_bits_for_any_number_of_threads(data):
    thetas = []
    for threads, seed in ((1, 5), (2, 5), (1, 6)):
        trainer = Trainer(rich_network(), batch_size=48, seed=seed, threads=threads)
        trainer.fit(data, epochs=2)
        thetas.append(trainer.model.theta)
    assert np.array_equal(thetas[0], thetas[1])
    assert not np.array_equal(thetas[0], thetas[2])


def test_two_fits_are_one(data):
    whole, parts = (Trainer(small_network(), schedule="constant", seed=1) for _ in range(2))
    whole.fit(data, epochs=3)
    parts.fit(data, epochs=1)
    parts.fit(data, epochs=2)
    assert np.array_equal(whole.model.theta, parts.model.theta)
    assert whole.history["loss"] == parts.history["loss"]


def test_one_step_on_the_full_batch_is_the_textbook_line(data):
    trainer = Trainer(small_network(), optimizer=GradientDescent(), learning_rate=0.1, batch_size="full")
    theta = trainer.model.theta.astype(np.float64)
    history = trainer.fit(data, epochs=1)
    x = trainer.model.normalisation.apply(data.inputs, np.float64)
    run = forward(trainer.network, theta, x)
    losses, gradient = softmax_cross_entropy(run.values["linear2"], data.targets)
    gradient, _ = backward(run, gradient / len(data), at="linear2")
    assert history["loss"] == pytest.approx([losses.mean()], rel=1e-5)
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * gradient, atol=1e-6)


def test_a_large_batch_is_the_sum_of_its_parts(data, monkeypatch):
    thetas = []
    for largest in (1024, 64):
        monkeypatch.setattr("striate.training.session.samples_at_once", lambda network, n=largest: n)
        trainer = Trainer(small_network(), batch_size="full")
        trainer.fit(data, epochs=5)
        thetas.append(trainer.model.theta)
    np.testing.assert_allclose(thetas[0], thetas[1], atol=1e-5)


def test_regression_is_learnt_with_the_mean_squared_error():
    data = line()
    network = Sequential([Flatten(), Linear(2)], (5, 1, 1))
    trainer = Trainer(network, optimizer="momentum", learning_rate=0.02, batch_size=20)
    history = trainer.fit(data, data, epochs=40)
    assert history["val_loss"][-1] < 1e-6
    assert history["accuracy"][-1] is None
    assert history["val_accuracy"][-1] is None
    assert trainer.model.evaluate(data).accuracy is None


def test_learning_rate_follows_the_schedule(data):
    seen = []
    trainer = Trainer(small_network(), learning_rate=lambda step: 0.1 / (step + 1), batch_size=50)
    trainer.fit(data, epochs=2, callbacks=FunctionCallback(on_step_end=lambda p: seen.append(p.learning_rate)))
    assert seen == [0.1 / n for n in range(1, 7)]


def test_the_usual_rate_falls_over_the_epochs_of_a_call_and_begins_anew(data):
    trainer = Trainer(small_network(), batch_size=50)  # three steps in an epoch
    whole = trainer.fit(data, epochs=4)["learning_rate"]
    alpha = cosine(1e-3, 12)
    assert whole == pytest.approx([alpha(2), alpha(5), alpha(8), alpha(11)])
    assert trainer.fit(data, epochs=4)["learning_rate"] == whole * 2


def test_a_named_schedule_has_arguments(data):
    how = {"name": "step", "every_epochs": 1, "factor": 0.5, "warm_up_epochs": 1}
    trainer = Trainer(small_network(), batch_size=50, learning_rate=0.08, schedule=how)
    assert trainer.fit(data, epochs=3)["learning_rate"] == pytest.approx([0.06, 0.08, 0.04])


def test_an_interrupted_training_keeps_its_schedule(data):
    whole, parts = (Trainer(small_network(), batch_size=50) for _ in range(2))
    whole.fit(data, epochs=4)
    stopper = FunctionCallback(on_step_end=lambda progress: progress.step == 7 and parts.stop("now"))
    parts.fit(data, epochs=4, callbacks=stopper)
    parts.state.stop_reason = None
    parts.fit(data, epochs=None)
    assert np.array_equal(whole.model.theta, parts.model.theta)
    assert whole.history["learning_rate"] == parts.history["learning_rate"]


def test_python_and_the_command_line_have_the_same_defaults(data):
    config = resolve(run_config({"dataset": "mnist"}), data)
    t, trainer = config.training, Trainer(small_network())
    assert (t.batch_size, t.learning_rate) == (trainer.settings.batch_size, trainer.settings.learning_rate)
    assert t.schedule == trainer.settings.schedule == schedule_arguments("cosine")
    assert t.optimizer == trainer.settings.optimizer
    assert t.auxiliary_weight == trainer.settings.auxiliary_weight
    assert t.initial == trainer.settings.initial == "glorot"
    assert t.epochs == trainer.settings.epochs == 10
    assert "learning_rate" in inspect.signature(Trainer).parameters


def test_orders_are_permutations_that_differ_between_epochs_and_seeds():
    orders = [epoch_order(1000, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert np.array_equal(np.sort(order), np.arange(1000))
    assert len({order.tobytes() for order in orders}) == 4
    assert epoch_order(6, 0, 0).tolist() == ORDER


ORDER = [3, 4, 2, 1, 5, 0]


def test_balanced_order_draws_as_many_of_each_class():
    labels = np.repeat([0, 1, 2], [80, 15, 5])
    order = balanced_order(labels, seed=0, epoch=0)
    assert sorted(np.bincount(labels[order])) == [33, 33, 34]
    counts = np.bincount(order, minlength=100)
    assert counts[:80].max() == 1
    assert set(counts[80:95]) == {2, 3}
    assert set(counts[95:]) == {6, 7}
    assert not np.array_equal(order, balanced_order(labels, 0, 1))


def test_balanced_sampling_reaches_the_engine():
    data = stripes(120)
    rare = data.take(np.flatnonzero((data.targets != 2) | (np.arange(120) < 12)))
    trainer = Trainer(small_network(), sampling="balanced", batch_size=len(rare))
    trainer.fit(rare, epochs=1)
    drawn = balanced_order(rare.targets, 0, 0)
    assert trainer.progress.samples == 0
    assert len(drawn) == len(rare)
    same = Trainer(small_network(), batch_size="full")
    same.model.normalisation = trainer.model.normalisation
    same.fit(rare.take(drawn), epochs=1)
    assert trainer.history["loss"][0] == pytest.approx(same.history["loss"][0], rel=1e-5)


class Recorder(Callback):
    def __init__(self):
        self.calls = []

    def on_train_begin(self, trainer):
        self.calls.append("begin")

    def on_epoch_begin(self, trainer):
        self.calls.append("epoch")

    def on_step_end(self, trainer):
        self.calls.append(trainer.progress.step)

    def on_epoch_end(self, trainer, record):
        self.calls.append(record.epoch)

    def on_train_end(self, trainer, history):
        self.calls.append("end")


def test_callbacks_are_called_in_order(data):
    recorder, records = Recorder(), []
    Trainer(small_network(), batch_size=75).fit(data, epochs=2, callbacks=[recorder, records.append])
    assert recorder.calls == ["begin", "epoch", 1, 2, 1, "epoch", 3, 4, 2, "end"]
    assert [record.epoch for record in records] == [1, 2]


def test_a_function_that_returns_true_stops(data):
    history = Trainer(small_network()).fit(data, epochs=9, callbacks=lambda record: record.epoch == 2)
    assert len(history) == 2
    assert history.stop_reason == "a callback asked for it"
    assert not history.interrupted


@pytest.mark.parametrize("item", [3, Callback])
def test_callbacks_must_be_callbacks(data, item):
    with pytest.raises(UsageError, match="callbacks: each must be a Callback or a function"):
        Trainer(small_network()).fit(data, callbacks=[item])


def test_the_name_of_a_callback_is_none(data):
    with pytest.raises(UsageError, match=r"callbacks: each must be .* got 'early_stopping'"):
        Trainer(small_network()).fit(data, callbacks="early_stopping")


def test_class_numbers_with_a_fraction_part_of_zero(data):
    with pytest.raises(ShapeError, match=r"Build the network for 1, or give class numbers as whole numbers: y\.as"):
        Trainer(small_network()).fit(data.inputs, data.targets.astype(float))
    with pytest.raises(ShapeError, match=r"Build the network for 1\.$"):
        Trainer(small_network()).fit(data.inputs, data.targets + 0.5)


def test_two_callbacks_of_one_name_are_refused(data):
    recorder = Recorder()
    with pytest.raises(UsageError, match="callbacks: each needs a unique name; got 'Recorder0' twice"):
        Trainer(small_network()).fit(data, callbacks=[recorder, recorder])


def test_control_c_stops_at_the_end_of_the_step_and_training_goes_on_with_the_same_bits(data):
    undisturbed, trainer = (Trainer(small_network(), batch_size=25, seed=2) for _ in range(2))
    undisturbed.fit(data, epochs=3)

    def interrupt(progress):
        if progress.step == 8:
            os.kill(os.getpid(), signal.SIGINT)

    history = trainer.fit(data, epochs=3, callbacks=FunctionCallback(on_step_end=interrupt))
    assert history.interrupted
    assert history.stop_reason == "interrupted"
    assert trainer.progress.step == 8
    assert len(history) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    history = trainer.fit(data, epochs=None)
    assert not history.interrupted
    assert np.array_equal(trainer.model.theta, undisturbed.model.theta)
    assert history["loss"] == undisturbed.history["loss"]


def test_a_second_control_c_stops_at_once():
    from striate.training.interruption import Interruption

    interruption = Interruption()
    interruption.handle(2, None)
    assert interruption.asked
    with pytest.raises(KeyboardInterrupt):
        interruption.handle(2, None)


def test_training_works_outside_the_main_thread(data):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(Trainer(small_network()).fit, data, None, 1).result()) == 1


@pytest.mark.parametrize("bad", ["theta", "input"])
def test_a_loss_that_is_no_number_names_step_and_layer_and_keeps_the_good_parameters(data, bad):
    trainer = Trainer(small_network(), batch_size=50, seed=4)
    trainer.fit(data, epochs=1)
    good = trainer.model.theta.copy()
    if bad == "theta":
        trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: 1e38 if step == 4 else 0.001)
        layer = "conv1"
        place = "step 6, epoch 2, batch 3"
    else:
        data = Dataset(data.inputs.astype(np.float32), data.targets, data.classes)
        data.inputs[epoch_order(len(data), 4, 1)[10]] = np.nan
        trainer.state.fingerprint = None
        layer, place = "input", "step 4, epoch 2, batch 1"
    fix = "Correct or remove samples with NaN or infinity" if bad == "input" else "Lower the learning rate"
    with pytest.raises(
        DivergenceError, match=rf"finite; got (nan|inf) in {place}, first at ({layer})\..* after step 3\. {fix}"
    ):
        trainer.fit(data, epochs=2)
    assert np.array_equal(trainer.model.theta, good)
    assert trainer.progress.step == 3
    assert len(trainer.history) == 1


def test_parameters_that_overflow_in_the_last_step_are_noticed(data):
    how = {"optimizer": "sgd", "batch_size": "full", "initial": "he"}
    trainer = Trainer(small_network(), learning_rate=lambda step: 3e38, **how)
    with pytest.raises(DivergenceError, match="parameters must be finite; got NaN or infinity"):
        trainer.fit(data, epochs=1)
    assert np.isfinite(trainer.model.theta).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adamm"}, "optimizer: unknown name 'adamm'; did you mean"),
        ({"learning_rate": -1.0}, "learning_rate: must be at least 0; got -1"),
        ({"schedule": math.sqrt}, "schedule: must be a name or a table; got a function. Give it as learning_rate"),
        ({"schedule": "cosin"}, "schedule: unknown name 'cosin'; did you mean 'cosine'"),
        (
            {"schedule": {"name": "cosine", "rise": 1}},
            "schedule: cosine takes the arguments floor, warm_up_epochs; got 'rise'",
        ),
        ({"schedule": {"name": "cosine", "floor": 0.5}}, "the floor must be at most the rate 0.001; got 0.5"),
        ({"learning_rate": math.nan}, "learning_rate: must be finite; got nan"),
        ({"batch_size": 0}, "batch_size: must be at least 1; got 0"),
        ({"batch_size": "all"}, "batch_size: must be a whole number; got 'all'"),
        ({"threads": 0}, "threads: must be at least 1; got 0"),
        ({"seed": -1}, "seed: must be at least 0; got -1"),
        ({"initial": "xavier"}, "initial: unknown name 'xavier'"),
        ({"sampling": "balancd"}, "sampling: unknown name 'balancd'; did you mean 'balanced'"),
    ],
)
def test_arguments_that_cannot_mean_anything_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Trainer(small_network(), **arguments)


def test_what_is_no_network_is_refused():
    with pytest.raises(UsageError, match="Trainer: needs a Network or a Model; got list"):
        Trainer([Linear(2)])
    with pytest.raises(UsageError, match=r"got Fraction of fractions\. Build one with striate"):
        Trainer(Fraction(1, 2))


def test_data_that_do_not_fit_are_refused(data):
    with pytest.raises(UsageError, match="loss: unknown name 'entropy'; did you mean 'cross_entropy'"):
        Trainer(small_network(), loss="entropy").fit(data)
    with pytest.raises(UsageError, match="epochs: must be at least 1; got 0"):
        Trainer(small_network()).fit(data, epochs=0)
    with pytest.raises(ShapeError, match="small: takes samples of 1 x 9 x 9; got 1 x 8 x 8 from stripes"):
        Trainer(small_network(side=9)).fit(data)
    with pytest.raises(ShapeError, match="needs one output for each of the 3 classes of stripes; got 4"):
        Trainer(small_network(classes=4)).fit(data)
    with pytest.raises(ShapeError, match="an output for each of the 3 classes of stripes; got 2 from softmax1"):
        Trainer(small_network(classes=2)).fit(data)
    with pytest.raises(ShapeError, match="as many outputs as line has targets, 2; got 3 from linear1"):
        Trainer(Sequential([Flatten(), Linear(3)], (5, 1, 1))).fit(line())
    with pytest.raises(UsageError, match="sampling: balanced needs class numbers; line has other targets"):
        Trainer(Sequential([Flatten(), Linear(2)], (5, 1, 1)), sampling="balanced").fit(line())


def test_other_data_cannot_continue_a_training(data):
    trainer = Trainer(small_network())
    trainer.fit(data, epochs=1)
    with pytest.raises(UsageError, match="stripes: training must continue with the data it began with"):
        trainer.fit(stripes(150, seed=9), epochs=None)
    trainer.fit(stripes(150, seed=9), epochs=1)
    assert len(trainer.history) == 2


def test_logits_without_a_softmax_are_learnt_and_predicted_as_probabilities(data):
    network = Sequential([Flatten(), Linear(8), ReLU(), Linear(3)], (1, 8, 8))
    trainer = Trainer(network, learning_rate=0.01, seed=1)
    trainer.fit(data, epochs=15)
    shares = trainer.model.predict_proba(data.inputs)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert trainer.model.evaluate(data).loss < 0.3


def test_history_plots_itself(data, validation):
    pytest.importorskip("matplotlib").use("Agg")
    history = Trainer(small_network()).fit(data, validation, epochs=2)
    axes = history.plot()
    assert [line.get_label() for line in axes[0].lines] == ["training", "validation"]
    assert axes[1].lines[1].get_ydata() == pytest.approx(history["val_accuracy"])
    assert all(tick == round(tick) for panel in axes for tick in panel.get_xticks())


def test_snapshots_within_an_epoch_are_fallen_back_to(data, monkeypatch):
    monkeypatch.setattr("striate.training.snapshots.Snapshots.every", 4)
    thetas = {}
    trainer = Trainer(small_network(), batch_size=10, seed=4)
    trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: 1e38 if step == 10 else 0.001)

    def note(progress):
        trainer.state.synchronise()
        thetas[progress.step] = trainer.model.theta.copy()

    with pytest.raises(DivergenceError, match=r"in step 12, epoch 1, batch 12, first at conv1\..* after step 8\."):
        trainer.fit(data, epochs=1, callbacks=FunctionCallback(on_step_end=note))
    assert np.array_equal(trainer.model.theta, thetas[8])
    trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: 0.001)
    trainer.fit(data, epochs=None)
    assert trainer.progress.epoch == 1
    assert np.isfinite(trainer.model.theta).all()


def test_a_snapshot_that_led_nowhere_gives_way_to_the_one_before(data, monkeypatch):
    monkeypatch.setattr("striate.training.snapshots.Snapshots.every", 5)
    trainer = Trainer(small_network(), batch_size=10, seed=4)
    trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: 1e38 if step == 9 else 0.001)
    with pytest.raises(DivergenceError, match=r"in step 11, .* after step 5\."):
        trainer.fit(data, epochs=1)
    assert trainer.progress.batch == 5
