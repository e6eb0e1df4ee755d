from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.data.augmentation import Augmentation, Mixup, Rotation, Shift
from striate.data.dataset import Dataset
from striate.errors import ShapeError
from striate.layers import Flatten, Linear
from striate.network import Sequential
from striate.reference.executor import backward, forward
from striate.reference.loss import softmax_cross_entropy
from striate.training import GradientDescent, Regularisation
from striate.training.batches import Batches
from striate.training.callbacks import FunctionCallback
from striate.training.order import epoch_order
from tasks import line, rich_network, small_network


def one_step(data, **arguments):
    """Return a trainer after one step on the full batch, and theta before it."""
    rule = GradientDescent()
    trainer = Trainer(small_network(), optimizer=rule, learning_rate=0.1, batch_size="full", **arguments)
    before = trainer.model.theta.astype(np.float64)
    trainer.fit(data, epochs=1)
    return trainer, before


def test_smoothed_labels_give_the_gradient_of_the_reference(data):
    trainer, theta = one_step(data, regularisation=Regularisation(label_smoothing=0.2))
    run = forward(trainer.network, theta, trainer.model.normalisation.apply(data.inputs, np.float64))
    logits = run.values["linear2"]
    losses, gradient = softmax_cross_entropy(logits, data.targets, label_smoothing=0.2)
    gradient, _ = backward(run, gradient / len(data), at="linear2")
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * gradient, atol=1e-6)
    assert trainer.history["loss"] == pytest.approx([losses.mean()], rel=1e-5)
    assert trainer.history["accuracy"] == [np.mean(logits.argmax(axis=1) == data.targets)]


def test_blended_samples_give_the_gradient_of_the_reference(data):
    augmentation = Augmentation((Shift(0.1, 0.1), Mixup(1.0)))
    trainer, theta = one_step(data, augmentation=augmentation, seed=3)
    order = epoch_order(len(data), 3, 0)
    x = augmentation.apply(data.inputs[order], 3, 0, order)
    shares = Mixup.blend(np.eye(3)[data.targets[order]], augmentation.mix_weights(3, 0, order))
    run = forward(trainer.network, theta, trainer.model.normalisation.apply(x, np.float64))
    logits = run.values["linear2"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    gradient, _ = backward(run, (softmax - shares) / len(data), at="linear2")
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * gradient, atol=1e-6)
    assert trainer.history["loss"] == pytest.approx([-(shares * np.log(softmax)).sum(axis=1).mean()], rel=1e-5)


def test_extreme_logits_have_finite_losses(data):
    network = Sequential([Flatten(), Linear(3)], (1, 8, 8))
    trainer = Trainer(network, learning_rate=0.0, regularisation=Regularisation(label_smoothing=0.1))
    trainer.model.theta[:] *= 1e3
    assert np.isfinite(trainer.fit(data, epochs=1)["loss"]).all()


def test_regressions_are_blended_too():
    data = line()
    trainer = Trainer(Sequential([Flatten(), Linear(2)], (5, 1, 1)), augmentation=Augmentation((Mixup(0.4),)))
    assert trainer.fit(data, epochs=2)["loss"][-1] > 0


def test_batches_of_an_epoch_are_the_same_wherever_it_is_resumed(data):
    augmentation = Augmentation((Rotation(20), Mixup()))
    batches = Batches.of(data, 5, shares=3, augmentation=augmentation)
    order = batches.order(2)
    whole = list(batches.of_epoch(order, 2, 40, 0))
    assert [len(batch) for batch in whole] == [40, 40, 40, 30]
    for first in range(5):
        rest = list(batches.of_epoch(order, 2, 40, first))
        assert len(rest) == 4 - first
        for a, b in zip(whole[first:], rest, strict=True):
            assert np.array_equal(a.inputs[a.index], b.inputs[b.index])
            assert np.array_equal(a.targets, b.targets)


def test_a_resumed_training_with_augmentation_ends_with_the_same_bits(data, tmp_path):
    def trainer():
        augmentation = Augmentation((Rotation(20), Shift(0.1, 0.1), Mixup()))
        return Trainer(rich_network(), batch_size=25, seed=1, augmentation=augmentation)

    whole, first, second = trainer(), trainer(), trainer()
    whole.fit(data, epochs=3)
    stop = FunctionCallback(on_step_end=lambda p: first.stop("enough") if p.step == 8 else None)
    first.fit(data, epochs=3, callbacks=stop)
    second.restore(first.save_checkpoint(tmp_path / "checkpoint"))
    second.state.stop_reason = None
    second.fit(data, epochs=None)
    assert second.progress.step == 18
    assert np.array_equal(second.model.theta, whole.model.theta)


def test_an_augmentation_that_does_not_fit_the_samples_is_refused():
    signals = Dataset(line().inputs[..., 0], line().targets)
    trainer = Trainer(Sequential([Flatten(), Linear(2)], (5, 1)), augmentation=Augmentation((Rotation(20),)))
    with pytest.raises(ShapeError, match="rotation: needs images; the samples are signals"):
        trainer.fit(signals, epochs=1)
