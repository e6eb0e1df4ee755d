"""Targets on any scale are learnt as well as standardised ones, and predicted in the user's units."""

import numpy as np
import pytest

from striate import load
from striate.data.dataset import Dataset
from striate.errors import ModelFileError
from striate.layers import Flatten, Linear, Sigmoid
from striate.network import Sequential
from striate.storage import model_file
from striate.storage.container import write
from striate.training import Trainer
from support.files import read_container


def prices(count=128, scale=60_000.0, middle=200_000.0):
    generator = np.random.default_rng(5)
    x = generator.normal(size=(count, 3, 1)).astype(np.float32)
    targets = middle + scale * (x[:, :2, 0] @ np.array([[1.0, 0.2], [-0.5, 1.0]]))
    return Dataset(x, targets.astype(np.float32))


def trained(data, loss="mean_squared_error", outputs=2, **more):
    network = Sequential([Flatten(), Linear(outputs)], (3, 1))
    trainer = Trainer(network, learning_rate=0.05, batch_size=32, loss=loss, **more)
    trainer.fit(data, data, epochs=40)
    return trainer


def r2(model, data):
    residual = model.predict(data.inputs) - data.targets
    return 1 - np.square(residual).sum() / np.square(data.targets - data.targets.mean(axis=0)).sum()


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error", "huber"])
def test_prices_are_learnt_and_predicted_in_their_own_units(loss, tmp_path):
    data = prices()
    trainer = trained(data, loss)
    assert r2(trainer.model, data) > 0.99
    found = trainer.model.evaluate(data)
    np.testing.assert_array_equal(found.outputs, trainer.model.predict(data.inputs))
    np.testing.assert_array_equal(found.targets, data.targets)
    assert found.loss == trainer.history["val_loss"][-1]
    again = load(trainer.model.save(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict(data.inputs), trainer.model.predict(data.inputs))


def test_a_change_of_units_changes_no_bit_of_what_is_learnt():
    """Powers of two and no offset: standardised targets are the same numbers."""
    small, large = prices(middle=0.0, scale=1.0), prices(middle=0.0, scale=1.0)
    large = Dataset(large.inputs, large.targets * np.float32(2**17))
    np.testing.assert_array_equal(trained(small).model.theta, trained(large).model.theta)


def test_variances_come_in_squared_units(tmp_path):
    data = prices()
    model = trained(data, "gaussian_negative_log_likelihood", outputs=4).model
    mean, variance = model.predict_moments(data.inputs)
    outputs, scale = model.outputs(data.inputs), np.array(model.target_normalisation.scale)
    np.testing.assert_allclose(mean, outputs[:, :2] * scale + np.array(model.target_normalisation.mean), rtol=1e-6)
    np.testing.assert_allclose(variance, np.exp(outputs[:, 2:]) * scale**2, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(data).variances, variance, rtol=1e-6)
    again = load(model.save(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict_moments(data.inputs), (mean, variance))


def test_targets_stay_as_they_are_when_asked_for_or_bounded_by_an_activation():
    data = prices(scale=0.1, middle=0.5)
    assert trained(data, standardise_targets=False).model.target_normalisation is None
    trainer = Trainer(Sequential([Flatten(), Linear(2), Sigmoid()], (3, 1)), loss="mean_squared_error")
    trainer.fit(data, epochs=1)
    assert trainer.model.target_normalisation is None


def test_a_training_goes_on_in_the_units_it_began_with(tmp_path):
    data, other = prices(), prices(middle=0.0)
    trainer = trained(data)
    units = trainer.model.target_normalisation
    path = trainer.save_checkpoint(tmp_path / "checkpoint.safetensors")
    restored = Trainer(trainer.network, learning_rate=0.05, batch_size=32, loss="mean_squared_error")
    restored.restore(path)
    assert restored.model.target_normalisation == units
    Trainer(restored.model, loss="mean_squared_error").fit(other, epochs=1)
    assert restored.model.target_normalisation == units


def test_a_file_without_target_units_still_loads(tmp_path):
    model = trained(prices(), standardise_targets=False).model
    content, _ = read_container(model.save(tmp_path / "new.safetensors"))
    del content["target_normalisation"]
    old = load(write(tmp_path / "old.safetensors", content, model_file.named_tensors(model.contents())))
    assert old.target_normalisation is None


def test_units_of_another_number_of_targets_are_refused(tmp_path):
    model = trained(prices()).model
    content = {"kind": "model", **model_file.describe(model.contents())}
    content["target_normalisation"] = {"mean": [0.0] * 3, "scale": [1.0] * 3}
    path = write(tmp_path / "m.safetensors", content, model_file.named_tensors(model.contents()))
    with pytest.raises(ModelFileError, match="do not fit its network"):
        load(path)


def test_counts_are_learnt_on_any_scale_and_predicted_in_their_own(tmp_path):
    """Of many times the counts the network learns the same: the logarithm of their share of the mean."""
    x = np.random.default_rng(2).normal(size=(128, 3, 1)).astype(np.float32)
    rates = np.exp(1.0 + x[:, :2, 0] @ np.array([[0.4, 0.1], [-0.3, 0.5]])).astype(np.float32)
    few, many = Dataset(x, rates), Dataset(x, rates * np.float32(2**17))
    loss = "poisson_negative_log_likelihood"
    small, large = trained(few, loss).model, trained(many, loss).model
    np.testing.assert_array_equal(small.theta, large.theta)
    assert r2(large, many) > 0.99
    np.testing.assert_allclose(large.evaluate(many).outputs, 2**17 * small.predict(x), rtol=1e-5)
    again = load(large.save(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict(x), large.predict(x))
    scale, shift = large.output_units
    np.testing.assert_allclose(np.exp(large.outputs(x) * scale + shift), large.predict(x), rtol=1e-5)


def test_counts_that_are_all_zero_are_learnt_as_they_are():
    data = Dataset(np.ones((8, 3, 1), np.float32), np.zeros((8, 2), np.float32))
    assert trained(data, "poisson_negative_log_likelihood").model.target_normalisation.scale == (1.0, 1.0)
