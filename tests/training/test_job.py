"""What a call of ``fit`` works out before anything changes."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from striate import Dataset, Sequential, Trainer
from striate.errors import ShapeError, UsageError
from striate.layers import Embedding, Flatten, Linear, Softmax
from striate.training import TrainingSettings
from striate.training.callbacks import EarlyStopping, FunctionCallback
from striate.training.callbacks.base import Callback
from tasks import line, small_network, stripes


def everything(trainer):
    state = vars(trainer.state)
    model = {key: value for key, value in vars(state["model"]).items() if not key.startswith("_")}
    plain = {key: value for key, value in state.items() if key not in ("model", "optimizer")}
    return copy.deepcopy((plain["history"].records, vars(plain["progress"]), plain["metrics"], model["classes"],
                          model["normalisation"], model["target_normalisation"], model["metadata"]))  # fmt: skip


@pytest.mark.parametrize(("network", "data"), [(small_network(), stripes(60)), (None, line(60))])
def test_a_check_changes_nothing(network, data):
    network = network or Sequential([Flatten(), Linear(2)], data.sample_shape)
    trainer = Trainer(network)
    before, theta = everything(trainer), trainer.model.theta.copy()
    trainer.check(data, data, EarlyStopping(patience=2))
    assert everything(trainer) == before
    assert np.array_equal(trainer.model.theta, theta)
    with pytest.raises(UsageError, match="watches val_loss"):
        trainer.check(data, callbacks=EarlyStopping())
    with pytest.raises(ShapeError):
        trainer.check(stripes(20, side=9))
    assert everything(trainer) == before


def test_symbols_stay_as_they_are():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 20, (200, 6)).astype(np.float32)
    data = Dataset(x, (x[:, 0] >= 10).astype(np.int64), ("low", "high"), "words")
    network = Sequential([Embedding(20, 8), Flatten(), Linear(2), Softmax()], (6,))
    trainer = Trainer(network, learning_rate=0.05, batch_size=20)
    history = trainer.fit(data, epochs=15)
    assert history["accuracy"][-1] > 0.95
    assert set(trainer.model.normalisation.mean) == {0.0}
    assert set(trainer.model.normalisation.scale) == {1.0}


def test_callbacks_say_whether_they_want_steps():
    class Steps(Callback):
        def on_step_end(self, state):
            pass

    class Rarely(Steps):
        wants_steps = False

    assert [c.wants_steps for c in (Callback(), Steps(), Rarely())] == [False, True, False]
    assert not FunctionCallback(print).wants_steps
    assert FunctionCallback(on_step_end=print).wants_steps


def test_settings_may_be_given_as_one_object():
    settings = TrainingSettings(optimizer="momentum", batch_size=7, seed=3)
    trainer = Trainer(small_network(), settings, seed=4)
    assert (trainer.settings.batch_size, trainer.settings.seed, trainer.settings.learning_rate) == (7, 4, 0.01)
    assert Trainer(small_network(), TrainingSettings(epochs=2)).fit(stripes(30)).records[-1].epoch == 2
    with pytest.raises(UsageError, match="unknown name 'batchsize'; did you mean 'batch_size'"):
        Trainer(small_network(), batchsize=3)
