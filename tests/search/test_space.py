from __future__ import annotations

import pytest

from striate.data import registry
from striate.errors import UsageError
from striate.search.space import CNN_RANGES, Range, changed, known_names, parse_range, ranges_for, recipe_values
from striate.training.optimizers.registry import describe
from striate.training.run import DataConfig, ModelConfig, RunConfig
from striate.training.run.resolve import resolve

DIGITS = registry.load("digits").train


@pytest.fixture(scope="module")
def base():
    return resolve(RunConfig(data=DataConfig(name="digits")), DIGITS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("learning_rate=1e-4:1e-1:log", Range("learning_rate", 1e-4, 0.1, True)),
        ("batch-size=16:64", Range("batch_size", 16, 64)),
        ("l2=0:0.1", Range("l2", 0, 0.1)),
        ("activation=relu,tanh", Range("activation", choices=("relu", "tanh"))),
        ("bias=true,false", Range("bias", choices=(True, False))),
    ],
)
def test_ranges_are_read(text, found):
    assert parse_range(text) == found


@pytest.mark.parametrize("text", ["", "x", "x=", "=1:2", "x=1:2:3", "x=a:b", "x=1:nan"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(UsageError, match="range: must be NAME=LOW:HIGH"):
        parse_range(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [("x=2:1", r"LOW must be less than HIGH; .* Use x=1:2."), ("x=0:1:log", "LOW must be above 0 for orders")],
)
def test_bounds_that_hold_nothing_are_refused_by_the_rule(text, rule):
    with pytest.raises(UsageError, match=rule):
        parse_range(text)


def test_unknown_names_and_repeated_names(base):
    with pytest.raises(UsageError, match="range: unknown name 'learnin_rate'; did you mean 'learning_rate'"):
        ranges_for(base, DIGITS, [Range("learnin_rate", 1, 2)])
    with pytest.raises(UsageError, match="range: l1 is given twice"):
        ranges_for(base, DIGITS, [Range("l1", 1, 2), Range("l1", 1, 2)])
    assert {"learning_rate", "l1", "pooling"} <= set(known_names(base))


def test_values_change_network_training_and_regularisation(base):
    values = {"blocks": 2, "channels": 8, "kernel_size": 5, "activation": "tanh", "dropout": 0.1, "convolutions": 1}
    found = changed(base, {"network": "cnn", **values, "l1": 0.5, "batch_size": 16, "optimizer": "sgd"})
    assert (found.model.name, found.model.options) == ("cnn", values)
    assert (found.training.regularisation.l1, found.training.batch_size) == (0.5, 16)
    assert describe(found.training.optimizer)["name"] == "gradient_descent"
    assert changed(base, {"network": "recipe", "augmentation": "recipe"}) == base
    assert not changed(base, {"augmentation": "none"}).training.augmentation.transforms
    assert changed(base, {"pooling": "average"}).model.options["pooling"] == "average"


def test_the_recipe_is_the_first_trial(base):
    ranges = ranges_for(base, DIGITS, [])
    assert {found.name for found in ranges} >= {*CNN_RANGES, "learning_rate", "optimizer", "augmentation"}
    values = recipe_values(base, ranges)
    assert values["network"] == values["augmentation"] == "recipe"
    assert changed(base, values) == base


def test_tables_vary_the_hidden_layers():
    base = resolve(RunConfig(data=DataConfig(name="digits"), model=ModelConfig(name="mlp")), DIGITS)
    assert "network" in {found.name for found in ranges_for(base, DIGITS, [])}
