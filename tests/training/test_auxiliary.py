"""Auxiliary outputs: learnt from with their weight, left out of every figure and at evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer, load
from striate.data.splits import Splits
from striate.layers import Conv2d, Flatten, Input, Linear, MaxPool2d, ReLU, Softmax
from striate.losses import Loss
from striate.models.registry import build
from striate.network import Network
from striate.reference.executor import backward, forward
from striate.reference.loss import softmax_cross_entropy
from striate.training.ending import with_ending
from striate.training.fine_tuning import replace_head
from striate.training.run import DataConfig, ModelConfig, RunConfig, TrainingSettings, resume, train
from tasks import stripes


def network(classes: int = 3, side: int = 8) -> Network:
    first = MaxPool2d(2)(ReLU()(Conv2d(4, 3, padding=1, name="conv1")(Input((1, side, side)))))
    second = ReLU()(Conv2d(6, 3, padding=1, name="conv2")(first))
    head = Softmax(name="aux")(Linear(classes, name="aux/linear")(Flatten(name="aux/flatten")(first)))
    return Network(Softmax()(Linear(classes, name="last")(Flatten()(second))), "two ends", auxiliary=[head])


@pytest.mark.parametrize("weight", [0.3, 1.0, 0.0])
def test_a_step_follows_the_weighted_sum_of_losses(weight):
    data = stripes(60)
    arguments = {"optimizer": "gradient_descent", "learning_rate": 0.1, "batch_size": "full"}
    trainer = Trainer(network(), auxiliary_weight=weight, **arguments)
    theta = trainer.model.theta.astype(np.float64)
    history = trainer.fit(data, data, epochs=1)
    run = forward(trainer.network, theta, trainer.model.normalisation.apply(data.inputs, np.float64))
    total = np.zeros(len(theta))
    for at, share in (("last", 1.0), ("aux/linear", weight)):
        losses, gradient = softmax_cross_entropy(run.values[at], data.targets)
        total += backward(run, share * gradient / len(data), at=at)[0]
        if at == "last":
            assert history["loss"] == pytest.approx([losses.mean()], rel=1e-5)
    np.testing.assert_allclose(trainer.model.theta, theta - 0.1 * total, atol=2e-6)


def test_the_weight_is_that_of_the_paper_by_default():
    thetas = []
    for arguments in ({}, {"auxiliary_weight": 0.3}, {"auxiliary_weight": 0.5}):
        trainer = Trainer(network(), **arguments)
        trainer.fit(stripes(60), epochs=1)
        thetas.append(trainer.model.theta)
    assert np.array_equal(thetas[0], thetas[1])
    assert not np.array_equal(thetas[0], thetas[2])


def test_evaluation_does_not_read_the_heads(tmp_path):
    data = stripes(60)
    trainer = Trainer(network())
    trainer.fit(data, epochs=2)
    model = load(trainer.model.save(tmp_path / "model.safetensors"))
    before = model.evaluate(data).loss
    model.parameters["aux/linear.weight"][:] = 1e6
    assert model.evaluate(data).loss == before


def test_new_heads_replace_the_auxiliary_ones_too():
    trainer = Trainer(network())
    trainer.fit(stripes(60), epochs=1)
    tuned = replace_head(trainer.model, ("a", "b"))
    assert tuned.network.step("aux").shape == tuned.network.output_shape == (2,)
    assert np.array_equal(tuned.parameters["conv2.weight"], trainer.model.parameters["conv2.weight"])
    Trainer(tuned).fit(stripes(60, classes=2), epochs=1)


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge", "cross_entropy"])
def test_every_end_is_what_the_loss_wants(loss):
    data = stripes(60)
    changed = with_ending(network(), data, Loss(loss))
    Trainer(changed, loss=loss).fit(data, data, epochs=1)
    kinds = {type(changed.step(name).layer).__name__ for name in (changed.steps[-1].name, *changed.auxiliary)}
    assert kinds == {{"binary_cross_entropy": "Sigmoid", "hinge": "Linear", "cross_entropy": "Softmax"}[loss]}


def test_googlenet_learns_with_its_heads_and_resumes(tmp_path, monkeypatch):
    data = stripes(48, side=32)
    splits = Splits(data, stripes(16, 1, side=32), None)
    monkeypatch.setattr("striate.training.run.run.load_splits", lambda *_: splits)
    model = ModelConfig(name="googlenet", options={"auxiliary": True})
    config = RunConfig(data=DataConfig(name="x"), model=model, training=TrainingSettings(epochs=1, batch_size=16))
    run = train(config, tmp_path / "run", report=False)
    assert run.trainer.network.auxiliary == ("auxiliary1", "auxiliary2")
    first = Trainer(build("googlenet", 3, (1, 32, 32), auxiliary=True)).model.parameters
    learnt = run.model.parameters
    assert not np.array_equal(learnt["auxiliary1/classifier.weight"], first["auxiliary1/classifier.weight"])
    assert np.array_equal(resume(tmp_path / "run", report=False).model.theta, run.model.theta)
