from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.errors import UsageError
from striate.layers import Flatten, Linear
from striate.network import Sequential
from striate.training.learning_rate_finder import find_learning_rate, suggest
from tasks import line, rich_network, small_network


def test_a_search_finds_a_rate_that_learns(data):
    trainer = Trainer(small_network(), batch_size=25, seed=1, initial="he")
    search = find_learning_rate(trainer, data, steps=60)
    assert 1e-4 < search.suggestion < 0.3
    assert np.allclose(np.diff(np.log(search.rates)), np.log(1e7) / 59)
    assert search.rates[0] == pytest.approx(1e-6)
    assert search.losses[-1] > 2 * search.losses.min()
    trainer.state.settings = trainer.settings.changed(learning_rate=lambda step: search.suggestion)
    assert trainer.fit(data, epochs=12)["accuracy"][-1] > 0.9


def test_the_trainer_is_as_before(data):
    plain, searched = (Trainer(rich_network(), batch_size=25, seed=1) for _ in range(2))
    for trainer in (plain, searched):
        trainer.fit(data, epochs=1)
    find_learning_rate(searched, data)
    for trainer in (plain, searched):
        trainer.fit(data, epochs=2)
    assert np.array_equal(plain.model.theta, searched.model.theta)
    assert np.array_equal(plain.model.states, searched.model.states)
    assert plain.history["loss"] == searched.history["loss"]


def test_a_search_ends_where_the_loss_explodes():
    trainer = Trainer(Sequential([Flatten(), Linear(2)], (5, 1, 1)), optimizer="sgd", batch_size=10)
    search = find_learning_rate(trainer, line(), highest=1e30, steps=200)
    assert len(search.rates) < 200


def test_the_steepest_descent_is_suggested():
    rates = np.logspace(-5, 0, 51)
    losses = 2 - np.tanh(3 * (np.log10(rates) + 2.5)) + np.where(rates > 0.1, 100 * rates, 0)
    assert suggest(rates, losses) == pytest.approx(10**-2.5, rel=0.2)


def test_noise_of_the_first_steps_and_a_last_plunge_are_not_suggested():
    rates = np.logspace(-6, 0, 61)
    losses = 2 - np.tanh(3 * (np.log10(rates) + 2.5)) + np.where(rates > 0.1, 100 * rates, 0)
    losses[:4] += (1.5, 1.0, 0.5, 0.2)
    losses[50] -= 0.3
    assert suggest(rates, losses) == pytest.approx(10**-2.5, rel=0.2)


def test_a_search_plots_itself(data):
    pytest.importorskip("matplotlib").use("Agg")
    search = find_learning_rate(Trainer(small_network()), data, steps=20)
    axes = search.plot()
    assert axes.get_xscale() == "log"
    assert np.array_equal(axes.lines[0].get_ydata(), search.losses)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lowest": 0}, "lowest: must be above 0; got 0"),
        ({"lowest": 1.0, "highest": 0.1}, "rates must increase; got 1 to 0.1"),
        ({"steps": 3}, "steps: must be at least 10; got 3"),
    ],
)
def test_searches_that_cannot_mean_anything_are_refused(data, arguments, message):
    with pytest.raises(UsageError, match=message):
        find_learning_rate(Trainer(small_network()), data, **arguments)


def test_a_loss_that_is_never_a_number_is_refused(data):
    trainer = Trainer(small_network())
    trainer.model.theta[:] = 1e38
    with pytest.raises(UsageError, match="the loss is not finite at 1e-06"):
        find_learning_rate(trainer, data)
