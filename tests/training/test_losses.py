"""Every loss of the engine reaches training, validation, evaluation, files and predictions."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from striate import Model, Trainer, load
from striate.data.augmentation import Augmentation, Mixup, Rotation
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.errors import DataError, ModelFileError, ShapeError, UsageError
from striate.layers import Conv2d, Flatten, Linear, LogSoftmax, MaxPool2d, ReLU, Sigmoid, Softmax, Tanh
from striate.losses import LOSSES, BinaryCrossEntropy, ErrorLoss, MeanSquaredError, register
from striate.models import perceptron
from striate.network import Network, Sequential
from striate.reference import loss as definitions
from striate.reference.executor import backward, forward
from striate.training import GradientDescent, Loss, Regularisation
from striate.training.label_metrics import label_metrics
from striate.training.metrics import classification_metrics, regression_metrics
from tasks import line, stripes

POISSON = "poisson_negative_log_likelihood"
WEIGHTED_LABELS = Loss("binary_cross_entropy", label_smoothing=0.1, pos_weight=(2.0, 1.0, 0.5))
GAUSSIAN = "gaussian_negative_log_likelihood"


def network(outputs: int, *last) -> Network:
    layers = [Conv2d(4, 3), ReLU(), MaxPool2d(2), Flatten(), Linear(16), ReLU(), Linear(outputs), *last]
    return Sequential(layers, (1, 8, 8), "small")


def straight(outputs: int, *last) -> Network:
    return Sequential([Flatten(), Linear(outputs), *last], (5, 1, 1), "straight")


def labels(count: int = 150, seed: int = 0) -> Dataset:
    """Several labels for each sample: which of five numbers are positive."""
    x = np.random.default_rng(seed).normal(size=(count, 5, 1, 1)).astype(np.float32)
    return Dataset(x, (x[:, :3, 0, 0] > 0).astype(np.float32), ("a", "b", "c"), "labels")


def counts(count: int = 150, seed: int = 0) -> Dataset:
    """How often something happens, at a rate that depends on the sample."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 5, 1, 1)).astype(np.float32)
    return Dataset(x, rng.poisson(np.exp(x[:, :2, 0, 0])).astype(np.float32), (), "counts")


def over_space(outputs: int) -> Network:
    return Sequential([Conv2d(4, 3, padding=1), ReLU(), Conv2d(outputs, 1)], (1, 6, 5), "pixels")


def maps(count: int = 60, seed: int = 0) -> Dataset:
    """At each place whether the sample is bright there; some places are of the class 2."""
    x = np.random.default_rng(seed).normal(size=(count, 1, 6, 5)).astype(np.float32)
    return Dataset(x, np.where(x[:, 0] > 1.5, 2, (x[:, 0] > 0).astype(np.int64)), ("dark", "light", "?"), "maps")


def shares(count: int = 150, seed: int = 0) -> Dataset:
    data = stripes(count, seed)
    soft = np.full((count, 3), 0.1, np.float32)
    soft[np.arange(count), data.targets] = 0.8
    return dataclasses.replace(data, targets=soft)


def one_hot(targets, count):
    return np.eye(count)[targets]


def binary_of_classes(y, t):
    return definitions.binary_cross_entropy(y, one_hot(t, y.shape[1]))


def binary_of_two(y, t):
    return definitions.binary_cross_entropy(y, t[:, None].astype(float))


def soft(y, q):
    return definitions.soft_cross_entropy(y, q)


def weighted_labels(y, t):
    return definitions.binary_cross_entropy(y, t, label_smoothing=0.1, pos_weight=np.array([2.0, 1.0, 0.5]))


def ignoring(y, t):
    return definitions.softmax_cross_entropy(y, t, ignored_index=2)


def squared_of_classes(y, t):
    return definitions.mean_squared_error(y, one_hot(t, y.shape[1]))


def weighted(y, t):
    options = {"class_weights": np.array([1.0, 2.0, 0.5]), "ignored_index": 1, "label_smoothing": 0.1}
    return definitions.softmax_cross_entropy(y, t, **options)


WEIGHTED = Loss("cross_entropy", class_weights=(1.0, 2.0, 0.5), ignored_index=1, label_smoothing=0.1)
TWO = stripes(150, classes=2)
CASES = {
    "cross-entropy": (network(3, Softmax()), stripes(150), "cross_entropy", definitions.softmax_cross_entropy),
    "after a logarithm": (
        network(3, LogSoftmax()),
        stripes(150),
        "cross_entropy",
        definitions.softmax_cross_entropy,
    ),
    "with options": (network(3), stripes(150), WEIGHTED, weighted),
    "soft": (network(3, Softmax()), shares(), "soft_cross_entropy", soft),
    "divergence": (network(3, Softmax()), shares(), "kl_divergence", definitions.kl_divergence),
    "binary, one output": (network(1, Sigmoid()), TWO, "binary_cross_entropy", binary_of_two),
    "binary, logit": (network(1), TWO, "binary_cross_entropy", binary_of_two),
    "binary, classes": (network(3, Sigmoid()), stripes(150), "binary_cross_entropy", binary_of_classes),
    "labels": (straight(3, Sigmoid()), labels(), "binary_cross_entropy", definitions.binary_cross_entropy),
    "hinge": (network(3), stripes(150), "hinge", definitions.hinge),
    "hinge, one output": (network(1), TWO, "hinge", definitions.hinge),
    "squared": (straight(2), line(), "mean_squared_error", definitions.mean_squared_error),
    "squared, classes": (network(3), stripes(150), "mean_squared_error", squared_of_classes),
    "absolute": (straight(2), line(), "mean_absolute_error", definitions.mean_absolute_error),
    "Huber": (straight(2), line(), Loss("huber", delta=0.5), lambda y, t: definitions.huber(y, t, 0.5)),
    "expression": (
        straight(2),
        line(),
        Loss("expression", expression="(output - target)**2"),
        definitions.mean_squared_error,
    ),
    "counts": (straight(2), counts(), POISSON, definitions.poisson_negative_log_likelihood),
    "weighted labels": (straight(3, Sigmoid()), labels(), WEIGHTED_LABELS, weighted_labels),
    "class maps": (over_space(3), maps(), Loss("cross_entropy", ignored_index=2), ignoring),
    "Gaussian": (straight(4), line(), GAUSSIAN, definitions.gaussian_negative_log_likelihood),
}


def read_by(trainer: Trainer, loss: Loss) -> str:
    return loss.reads(trainer.network, trainer.network.steps[-1].name)


@pytest.mark.parametrize("name", CASES)
def test_one_step_follows_the_definition_and_many_learn(name, tmp_path):
    net, data, loss, definition = CASES[name]
    loss = Loss.of(loss)
    rule = GradientDescent()
    trainer = Trainer(
        net, optimizer=rule, learning_rate=0.1, batch_size="full", loss=loss, standardise_targets=False
    )
    theta = trainer.model.theta.astype(np.float64)
    x = data.inputs
    history = trainer.fit(data, data, epochs=1)
    run = forward(net, theta, trainer.model.normalisation.apply(x, np.float64))
    at = read_by(trainer, loss)
    losses, gradient = definition(run.values[at], data.targets)
    weights = loss.counts(data.targets)
    mean, gradient = definitions.reduce(losses, gradient, weights=weights)
    gradient, _ = backward(run, gradient, at=at)
    assert history["loss"] == pytest.approx([mean], rel=2e-5)
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * gradient, atol=2e-6)
    evaluation = trainer.model.evaluate(data)
    assert (evaluation.loss, evaluation.accuracy) == (history["val_loss"][0], history["val_accuracy"][0])
    assert evaluation.loss_name == loss.name
    saved = load(trainer.model.save(tmp_path / "model.safetensors"))
    assert saved.loss == loss
    assert saved.evaluate(data).loss == pytest.approx(evaluation.loss, rel=1e-12)
    trainer = Trainer(net, learning_rate=0.02, batch_size=32, loss=loss)
    history = trainer.fit(data, epochs=15)
    assert history["loss"][-1] < history["loss"][0]
    if trainer.model.kind == "classes" and loss.plain:
        assert trainer.model.evaluate(data).accuracy > 0.9
        assert np.mean(trainer.model.predict(data.inputs) == labels_of(data)) > 0.9


def labels_of(data: Dataset) -> np.ndarray:
    return data.targets if data.targets.ndim == 1 else data.targets.argmax(axis=1)


def test_every_loss_is_tried():
    assert {Loss.of(case[2]).name for case in CASES.values()} == set(LOSSES)


@pytest.mark.parametrize("name", ["cross-entropy", "binary, one output", "hinge", "binary, classes"])
def test_accuracy_in_training_is_that_of_the_parameters_before_each_step(name):
    net, data, loss, _ = CASES[name]
    trainer = Trainer(net, learning_rate=1e-9, optimizer="gradient_descent", batch_size=50, loss=loss)
    history = trainer.fit(data, data, epochs=1)
    known = history["accuracy"][0]
    assert known is None if name == "binary, classes" else known == pytest.approx(history["val_accuracy"][0])


def test_ignored_samples_count_nowhere():
    data = stripes(150)
    ignored = Loss("cross_entropy", ignored_index=2)
    kept = data.take(np.flatnonzero(data.targets != 2))
    for fitted, loss in ((data, ignored), (kept, "cross_entropy")):
        model = Trainer(network(3)).model
        model.normalisation = Normalisation.fit(data)
        trainer = Trainer(model, optimizer="gradient_descent", learning_rate=0.1, batch_size="full", loss=loss)
        history = trainer.fit(fitted, fitted, epochs=1)
        if fitted is data:
            theta, first = trainer.model.theta, history
    np.testing.assert_allclose(theta, trainer.model.theta, atol=1e-6)
    for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert first[key] == pytest.approx(history[key], rel=1e-5), key
    assert trainer.model.evaluate(kept).confusion.sum() == len(kept)


def test_labels_that_do_not_count_may_be_none_of_the_classes():
    data = stripes(150)
    targets = np.where(np.arange(150) % 3 == 0, -1, data.targets)
    trainer = Trainer(network(3), learning_rate=0.02, loss=Loss("cross_entropy", ignored_index=-1))
    trainer.fit(Dataset(data.inputs, targets), epochs=10)
    assert trainer.model.evaluate(data.take(np.arange(150))).accuracy > 0.9
    assert len(trainer.model.evaluate(Dataset(data.inputs, targets)).targets) == 100


def test_a_sum_is_the_mean_times_the_samples():
    thetas, losses = [], []
    for loss, rate in ((Loss("huber"), 0.1), (Loss("huber", reduction="sum"), 0.1 / 50)):
        trainer = Trainer(straight(2), optimizer="gradient_descent", learning_rate=rate, batch_size=50, loss=loss)
        losses.append(trainer.fit(line(), epochs=2)["loss"])
        thetas.append(trainer.model.theta)
    np.testing.assert_allclose(*thetas, atol=1e-6)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("loss", [WEIGHTED, Loss("cross_entropy", label_smoothing=0.2, reduction="sum")])
def test_the_parts_of_a_large_batch_are_weighed_as_one(loss, monkeypatch):
    thetas, histories = [], []
    for largest in (1024, 64):
        monkeypatch.setattr("striate.training.session.samples_at_once", lambda network, n=largest: n)
        trainer = Trainer(
            network(3), batch_size="full", loss=loss, optimizer="gradient_descent", learning_rate=1e-3
        )
        histories.append(trainer.fit(stripes(150), epochs=3)["loss"])
        thetas.append(trainer.model.theta)
    np.testing.assert_allclose(*thetas, atol=1e-5)
    assert histories[0] == pytest.approx(histories[1], rel=1e-4)


def test_class_weights_of_the_loss_divide_by_the_weights_of_the_batch_and_go_with_sample_weights():
    data = stripes(100)
    by_sample = np.random.default_rng(0).uniform(0.5, 2.0, 100)
    loss = Loss("cross_entropy", class_weights=(1.0, 3.0, 2.0))
    trainer = Trainer(network(3), optimizer="gradient_descent", learning_rate=0.1, batch_size="full", loss=loss)
    theta = trainer.model.theta.astype(np.float64)
    trainer.fit(data, epochs=1, sample_weights=by_sample)
    run = forward(trainer.network, theta, trainer.model.normalisation.apply(data.inputs, np.float64))
    own = np.array(loss.class_weights)
    _, gradient = definitions.softmax_cross_entropy(run.values["linear2"], data.targets, class_weights=own)
    share = by_sample / own[data.targets].sum()
    expected, _ = backward(run, gradient * share[:, None], at="linear2")
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * expected, atol=2e-6)


def test_a_gaussian_regression_learns_its_own_uncertainty(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (4000, 5, 1, 1)).astype(np.float32)
    spread = np.exp(x[:, 0, 0, 0])
    y = (2 * x[:, 1, 0, 0] + spread * rng.normal(size=4000)).astype(np.float32)[:, None]
    data = Dataset(x, y, (), "noisy")
    trainer = Trainer(straight(2), learning_rate=0.01, loss=GAUSSIAN)
    trainer.fit(data, epochs=30)
    model = load(trainer.model.save(tmp_path / "m.safetensors"))
    mean, variance = model.predict_moments(x)
    assert mean.shape == variance.shape == (4000, 1)
    assert np.array_equal(mean, model.predict(x))
    assert np.corrcoef(np.sqrt(variance[:, 0]), spread)[0, 1] > 0.98
    found = regression_metrics(model.evaluate(data))
    assert found.coverage == pytest.approx(0.95, abs=0.015)


def test_variances_need_a_gaussian_regression():
    trainer = Trainer(straight(2))
    trainer.fit(line(), epochs=1)
    with pytest.raises(UsageError, match=r"variances need a model trained with gaussian.*; got mean_squared_error"):
        trainer.model.predict_moments(line().inputs)


def test_labels_have_figures_of_their_own():
    data = labels(300)
    trainer = Trainer(straight(3, Sigmoid()), learning_rate=0.05, loss="binary_cross_entropy")
    history = trainer.fit(data, labels(100, 1), epochs=30)
    assert history["accuracy"][-1] > 0.95  # the share of the labels that are right
    assert history["val_accuracy"][-1] > 0.95
    model = trainer.model
    assert model.kind == "labels"
    assert np.array_equal(model.predict(data.inputs), model.predict_proba(data.inputs) >= 0.5)
    evaluation = model.evaluate(data)
    found = label_metrics(evaluation)
    assert found.accuracy == pytest.approx(evaluation.accuracy)
    assert 0.9 < found.exact <= min(m.recall for m in found.by_label) + 0.1
    assert found.exact == np.all(model.predict(data.inputs) == data.targets, axis=1).mean()
    assert [m.name for m in found.by_label] == ["a", "b", "c"]
    assert found.auc > 0.99
    with pytest.raises(UsageError, match="label metrics: need labels"):
        label_metrics(_classes())
    with pytest.raises(UsageError, match="need classes; got the evaluation of labels"):
        classification_metrics(evaluation)


def _classes():
    trainer = Trainer(network(3))
    trainer.fit(stripes(60), epochs=1)
    return trainer.model.evaluate(stripes(60))


def test_a_single_output_has_probabilities_and_figures_of_two_classes():
    trainer = Trainer(network(1, Sigmoid()), learning_rate=0.02)
    trainer.fit(TWO, epochs=15)
    assert trainer.model.loss == Loss("binary_cross_entropy")
    shares = trainer.model.predict_proba(TWO.inputs)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-6)
    assert classification_metrics(trainer.model.evaluate(TWO)).accuracy > 0.95
    assert trainer.model.evaluate(TWO).confusion.shape == (2, 2)


def test_a_single_output_calls_for_the_loss_that_its_end_allows():
    corners, both = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 0, 0, 1])
    trainer = Trainer(perceptron(2, (2,)), learning_rate=0.1, seed=0)
    trainer.fit(corners, both, epochs=200)
    assert trainer.model.loss == Loss("mean_squared_error")
    assert trainer.model.predict(corners).ravel().tolist() == both.tolist()
    trainer = Trainer(Sequential([Linear(1)], (2,)), learning_rate=0.1, seed=0)
    trainer.fit(corners, np.array(["no", "yes"])[both], epochs=200)
    assert trainer.model.loss == Loss("binary_cross_entropy")
    assert trainer.model.predict(corners).tolist() == both.tolist()


def test_label_smoothing_reaches_other_losses_of_classes():
    for data, net in ((TWO, network(1, Sigmoid())), (stripes(150), network(3, Sigmoid()))):
        trainer = Trainer(net, regularisation=Regularisation(label_smoothing=0.3), learning_rate=0.02)
        trainer.fit(data, epochs=60)
        outputs = trainer.model.outputs(data.inputs)
        low = 0.15 if outputs.shape[1] == 1 else 0.1
        high = low + 0.7
        nearest = np.minimum(np.abs(outputs - low), np.abs(outputs - high))
        assert np.median(nearest) < 0.05


def test_a_model_goes_on_with_its_loss():
    trainer = Trainer(straight(2), loss=Loss("huber", delta=0.3))
    trainer.fit(line(), epochs=1)
    more = Trainer(trainer.model)
    more.fit(line(), epochs=1)
    assert more.model.loss == Loss("huber", delta=0.3)


def test_balance_goes_with_a_single_output():
    data = stripes(150, classes=2)
    rare = data.take(np.flatnonzero((data.targets == 0) | (np.arange(150) % 10 == 0)))
    trainer = Trainer(network(1, Sigmoid()), sampling="balanced", learning_rate=0.02)
    trainer.fit(rare, epochs=20)
    assert trainer.model.evaluate(rare).accuracy > 0.95


@pytest.mark.parametrize(
    ("net", "data", "arguments", "kind", "message"),
    [
        (network(3), stripes(9), {"loss": "cross"}, UsageError, "loss: unknown name 'cross'.*did you mean"),
        (network(3, Softmax()), stripes(9), {"loss": "hinge"}, UsageError, "hinge needs plain outputs; got"),
        (
            network(3, Softmax()), stripes(9), {"loss": "binary_cross_entropy"}, UsageError,
            "needs logits or a Sigmoid; got softmax1, a Softmax, at the end",
        ),
        (straight(2), line(9), {"loss": "cross_entropy"}, UsageError, "needs class numbers; line has other"),
        (network(3), stripes(9), {"loss": "soft_cross_entropy"}, UsageError, "needs shares of classes; stripes"),
        (network(6), stripes(9), {"loss": GAUSSIAN}, UsageError, "needs numbers; stripes has classes"),
        (straight(2), line(9), {"loss": GAUSSIAN}, ShapeError, "needs 4 outputs, a mean and a logarithm"),
        (straight(2), line(9), {"loss": "binary_cross_entropy"}, DataError, "needs targets from 0 to 1; got -?"),
        (
            straight(3), dataclasses.replace(labels(9), classes=()), {"loss": "soft_cross_entropy"}, DataError,
            "the shares of the classes of a sample must sum to 1",
        ),
        (
            straight(2), Dataset(np.zeros((2, 5, 1, 1), np.float32), np.full((2, 2), np.nan, np.float32)), {},
            DataError, "targets must be numbers; got NaN",
        ),
        (network(1), stripes(9), {"loss": "binary_cross_entropy"}, ShapeError, "an output for each of the 3"),
        (
            network(3), stripes(9), {"loss": Loss("cross_entropy", label_smoothing=0.1),
            "regularisation": Regularisation(label_smoothing=0.1)}, UsageError, "must be given only once",
        ),
        (
            straight(2), line(9), {"regularisation": Regularisation(label_smoothing=0.1)}, UsageError,
            "label smoothing: needs class numbers; line has other targets",
        ),
        (
            network(3), stripes(9), {"loss": "hinge", "regularisation": Regularisation(label_smoothing=0.1)},
            UsageError, "hinge: needs one class for each sample",
        ),
        (
            network(3), Dataset(stripes(9).inputs, np.full(9, 7)), {"loss": Loss("cross_entropy", ignored_index=7)},
            DataError, "needs labels other than the ignored one, 7",
        ),
        (network(1), stripes(9), {}, ShapeError, "an output for each of the 3 classes"),
        (network(1, Softmax()), TWO, {}, ShapeError, "an output for each of the 2 classes"),
        (network(3), stripes(9), {"auxiliary_weight": -1}, UsageError, "auxiliary_weight: must be at least 0"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(net, data, arguments, kind, message):
    with pytest.raises(kind, match=message):
        Trainer(net, **arguments).fit(data, epochs=1)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"name": "huber", "detla": 1}, "huber: option: unknown name 'detla'.*did you mean 'delta'"),
        ({"delta": 1.0}, "loss: needs a name; got the options delta"),
        ({"name": "huber", "reduction": "none"}, "huber: reduction: unknown name 'none'"),
    ],
)
def test_descriptions_that_mean_nothing_are_refused(description, message):
    with pytest.raises(UsageError, match=message):
        Loss.from_description(description)


@pytest.mark.parametrize("loss", [Loss("huber"), WEIGHTED, Loss("hinge", margin=2.0, reduction="sum")])
def test_descriptions_come_back(loss):
    assert Loss.from_description(loss.describe()) == loss


@pytest.mark.parametrize(
    ("last", "loss", "expected"), [(Sigmoid(), "binary_cross_entropy", 100.0), (Softmax(), "cross_entropy", 100.0)]
)
def test_training_and_validation_compute_the_same_loss_of_large_logits(last, loss, expected):
    """A sigmoid of 100 is 1 in float32, and a softmax of it 1 and 4e-44: only the logits tell the loss."""
    outputs = 1 if isinstance(last, Sigmoid) else 2
    net = Sequential([Flatten(), Linear(outputs), last], (1, 1, 1))
    theta = [100.0, 0.0] if outputs == 1 else [0.0, 100.0, 0.0, 0.0]
    model = Model(net, np.array(theta), normalisation=Normalisation((0.0,), (1.0,)))
    data = Dataset(np.ones((4, 1, 1, 1), np.float32), np.zeros(4, np.int64), ("no", "yes"))
    trainer = Trainer(model, loss=loss, learning_rate=1e-30, optimizer="gradient_descent", batch_size=4)
    history = trainer.fit(data, data, epochs=1)
    assert history["loss"] == history["val_loss"] == [expected]
    assert trainer.model.evaluate(data).loss == expected


def test_labels_of_0_or_1_are_learnt_with_the_binary_cross_entropy():
    for last in ((), (Sigmoid(),)):
        trainer = Trainer(straight(3, *last), learning_rate=0.05)
        trainer.fit(labels(100), epochs=1)
        assert trainer.model.loss == BinaryCrossEntropy()
        assert trainer.model.kind == "labels"
    trainer = Trainer(straight(3, Tanh()))
    trainer.fit(labels(100), epochs=1)
    assert trainer.model.loss == MeanSquaredError()


def test_predictions_of_maps_keep_their_space():
    trainer = Trainer(over_space(3), learning_rate=0.02, batch_size=16)
    trainer.fit(maps(), epochs=20)
    x, targets = maps(20, 1).inputs, maps(20, 1).targets
    found = trainer.model.predict(x)
    assert found.shape == (20, 6, 5)
    assert trainer.model.predict_proba(x).shape == (20, 3, 6, 5)
    evaluation = trainer.model.evaluate(maps(20, 1))
    assert evaluation.accuracy == pytest.approx((found == targets).mean())
    assert evaluation.confusion.sum() == 20 * 30
    wrong = evaluation.mistakes()
    assert set(evaluation.samples[wrong]) == set(np.flatnonzero((found != targets).any(axis=(1, 2))))


def test_counts_are_predicted_as_rates():
    data = counts(300)
    trainer = Trainer(straight(2), loss=POISSON, learning_rate=0.02, batch_size=32)
    trainer.fit(data, epochs=30)
    rates = np.exp(data.inputs[:, :2, 0, 0])
    assert np.abs(np.log(trainer.model.predict(data.inputs) / rates)).mean() < 0.25


@pytest.mark.parametrize("change", [Rotation(10), Mixup(0.2)])
def test_changes_of_samples_that_targets_do_not_follow_are_refused(change):
    trainer = Trainer(over_space(3), augmentation=Augmentation((change,)))
    with pytest.raises(UsageError, match=r"augmentation: \w+ changes samples but not the targets .* 6 x 5"):
        trainer.fit(maps(), epochs=1)


def test_maps_of_another_size_are_refused():
    wrong = dataclasses.replace(maps(), targets=np.zeros((60, 3, 3), np.int64))
    with pytest.raises(ShapeError, match=r"outputs of 3 x 6 x 5 need class maps of 6 x 5; got maps of 3 x 3"):
        Trainer(over_space(3)).fit(wrong, epochs=1)
    with pytest.raises(ShapeError, match="needs numbers; got class maps of 6 x 5"):
        Trainer(over_space(3), loss="huber").fit(maps(), epochs=1)


def test_one_class_in_two_axes_is_refused_with_the_array_to_give():
    network = Sequential([Flatten(), Linear(3)], (1, 6, 5))
    with pytest.raises(ShapeError, match=r"need one class for each sample; got an array of 60 x 1 .*\[:, 0\]"):
        Trainer(network).fit(maps().inputs, np.zeros((60, 1), np.int64), epochs=1)


def test_counts_below_0_are_refused():
    data = dataclasses.replace(counts(), targets=np.full((150, 2), -1.0, np.float32))
    with pytest.raises(DataError, match="needs counts of at least 0; got -1"):
        Trainer(straight(2), loss=POISSON).fit(data, epochs=1)


def test_a_registered_loss_of_ones_own_is_trained_saved_and_loaded(tmp_path):
    @register
    @dataclasses.dataclass(frozen=True)
    class Quartic(ErrorLoss):
        name: ClassVar[str] = "quartic"

        def reference(self, outputs, targets):
            errors = outputs - targets
            return (errors**4).mean(axis=1), 4 * errors**3 / errors.shape[1]

        def kernel(self, shape):
            return None

    try:
        trainer = Trainer(straight(2), loss=Quartic(), learning_rate=0.02, batch_size=32)
        history = trainer.fit(line(200), line(50), epochs=10)
        assert history["loss"][-1] < 0.1 * history["loss"][0]
        path = trainer.model.save(tmp_path / "model.safetensors")
        assert load(path).loss == Quartic()
        with pytest.raises(UsageError, match="quartic: this name belongs to another loss"):
            register(type("Other", (MeanSquaredError,), {"name": "quartic"}))
    finally:
        del LOSSES["quartic"]
    with pytest.raises(ModelFileError, match=r"trained with the loss 'quartic', which is not known"):
        load(path)


def test_one_hot_labels_of_a_softmax_are_classes():
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    labels = x[:, :3].argmax(axis=1)
    one_hot = Dataset(x, np.eye(3, dtype=np.float32)[labels])
    trainer = Trainer(Sequential([Linear(3), Softmax()], 4), learning_rate=0.1)
    trainer.fit(one_hot, epochs=100)
    assert trainer.model.loss == Loss("soft_cross_entropy")
    assert trainer.model.evaluate(one_hot).accuracy > 0.9
