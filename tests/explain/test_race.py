"""Trainings side by side: their paths, the plane, and the loss on it."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Sequential, Trainer, layers
from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.explain import draw_race, race
from striate.explain.batch_statistics import BatchStatistics


@pytest.fixture(scope="module")
def points() -> Dataset:
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    return Dataset(x, (x.sum(axis=1) > 0).astype(np.int64), ("low", "high"))


def trainer(activation: layers.Layer | None = None, **settings) -> Trainer:
    network = Sequential([layers.Linear(4), activation or layers.Tanh(), layers.Linear(2), layers.Softmax()], 3)
    return Trainer(network, batch_size=20, **settings)


def test_paths_end_where_training_ended_and_lie_on_the_plane(points):
    trainers = {"slow": trainer(learning_rate=0.01), "fast": trainer(learning_rate=0.5)}
    found = race(trainers, points, epochs=3, points=5)
    for one in found.runners:
        np.testing.assert_array_equal(one.thetas[-1], trainers[one.name].model.theta)
        assert one.losses[-1] == trainers[one.name].model.evaluate(points).loss
        assert len(one.losses) == 4
    np.testing.assert_array_equal(found.runners[0].thetas[0], found.runners[1].thetas[0])
    assert [one.name for one in found.ranking] == ["fast", "slow"]
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-9)
    assert 0.5 < found.share <= 1
    low, high = found.steps[0][0], found.steps[0][-1]
    assert all(low < place < high for one in found.runners for place in found.path(one)[:, 0])
    model = trainers["slow"].model
    model.theta = (found.origin + found.steps[0][3] * found.axes[0] + found.steps[1][1] * found.axes[1]).astype(
        "f4"
    )
    assert found.losses[1, 3] == model.evaluate(points).loss
    axes = draw_race(found)
    assert len(axes.lines) == 4
    assert axes.get_title().startswith("paths from their common start (star)")


def test_a_training_that_diverges(points):
    found = race(
        {"wild": trainer(layers.ReLU(), learning_rate=1e30), "calm": trainer(layers.ReLU())},
        points,
        epochs=2,
        points=3,
    )
    assert found.runners[0].diverged
    assert found.ranking[-1].name == "wild"
    assert "wild" in str(found)
    assert "(diverged)" in str(found)
    names = [text.get_text() for text in draw_race(found).figure.axes[1].get_legend().get_texts()]
    assert names == ["wild (diverged)", "calm"]


def test_a_race_needs_two_of_the_same_network(points):
    with pytest.raises(UsageError, match="at least two trainings of the same network; got one"):
        race({"one": trainer()}, points)


def test_running_statistics_for_any_parameters_are_those_of_a_batch(points):
    network = Sequential([layers.Linear(4), layers.BatchNorm(momentum=0.2), layers.Linear(2), layers.Softmax()], 3)
    model = Trainer(network, seed=1).model
    theta = np.random.default_rng(2).normal(size=network.parameter_count).astype(np.float32)
    weight, bias = (network.views(theta)[f"linear1.{name}"].astype(np.float64) for name in ("weight", "bias"))
    hidden = points.inputs.astype(np.float64) @ weight.T + bias
    found = BatchStatistics(model, points).at(theta)
    np.testing.assert_allclose(found, [*hidden.mean(axis=0), *hidden.var(axis=0, ddof=1)], rtol=1e-5, atol=1e-6)


def test_with_batch_normalisation_the_plane_agrees_with_the_paths(points):
    network = Sequential(
        [layers.Linear(4), layers.BatchNorm(), layers.ReLU(), layers.Linear(2), layers.Softmax()], 3
    )
    rates = {"slow": 0.01, "fast": 0.1}
    found = race(
        {name: Trainer(network, batch_size=20, learning_rate=rate) for name, rate in rates.items()},
        points,
        epochs=1,
        points=41,
    )
    first, second = found.runners
    assert first.losses[0] == second.losses[0]
    assert second.losses[1] < second.losses[0]
    for one in found.runners:  # three different places lie in one plane
        for place, loss in zip(found.path(one), one.losses, strict=True):
            column, row = (int(abs(s - p).argmin()) for s, p in zip(found.steps, place, strict=True))
            assert found.losses[row, column] == pytest.approx(loss, rel=0.05)
