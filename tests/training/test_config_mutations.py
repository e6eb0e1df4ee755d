"""A configuration that was changed anywhere is refused in one line, or trains; it never ends in a traceback."""

from __future__ import annotations

import random

import pytest

from striate.data.digits import digits
from striate.errors import StriateError
from striate.training.run import DataConfig, ModelConfig, RunConfig, RunFolder, TrainingSettings
from striate.training.run.build import make_callbacks, make_trainer, network_or_model
from striate.training.run.resolve import resolve
from striate.training.run.start import starting_model

MUTATIONS = 1000
VALUES = [
    "none", "auto", "adam", "cosine", "full", "64x64", "3", "a=1", "1:2:3", "", "\0", "ü", 0, 1, -1, 3, 64, 2**70,
    0.0, 0.5, -2.5, 1e308, float("nan"), float("inf"), True, False, [], [1], [0.5, "x"], [[1], [2]], ["conv*"],
    {}, {"name": "adam"}, {"name": 3}, {"name": "cosine", "floor": "x"}, {"x": {"y": 1}}, {"name": ["x"]}, None,
]  # fmt: skip


@pytest.fixture(scope="module")
def splits():
    return digits(0, 0.1)


@pytest.fixture(scope="module")
def seed_tables(splits):
    """Every key, with a value."""
    config = RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp", options={"hidden": (4,)}),
        training=TrainingSettings(class_weights="balanced", rates={"linear1": 0.5}, augmentation="rotation:5"),
        early_stopping={"patience": 3},
        reduce_on_plateau={"patience": 3},
    )
    return resolve(config, splits.train).to_dict()


def keys_of(table, path=()):
    for key, value in table.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from keys_of(value, (*path, key))


def mutated(table, path, value):
    """Return a copy with the value at a path replaced; None removes the key."""
    first, *rest = path
    copy = dict(table)
    if rest:
        copy[first] = mutated(copy[first], rest, value)
    elif value is None:
        del copy[first]
    else:
        copy[first] = value
    return copy


def run_up_to_the_first_step(tables, splits, folder):
    config = RunConfig.from_dict(tables)
    if config.data.name != "digits":
        return
    start = starting_model(config.model)
    config = resolve(config, splits.train, start)
    trainer = make_trainer(config, network_or_model(config, splits.train, start))
    trainer.check(splits.train, splits.validation)
    make_callbacks(config, RunFolder(folder))
    assert RunConfig.from_dict(config.to_dict()) == config


def test_mutations_never_end_in_a_traceback(seed_tables, splits, tmp_path):
    paths = list(keys_of(seed_tables))
    draw, outcomes = random.Random(1), {"refused": 0, "accepted": 0}
    for _ in range(MUTATIONS):
        path, value = draw.choice(paths), draw.choice(VALUES)
        outcomes[outcome(mutated(seed_tables, path, value), splits, tmp_path)] += 1
    assert min(outcomes.values()) > MUTATIONS // 10


def outcome(tables, splits, folder):
    try:
        run_up_to_the_first_step(tables, splits, folder)
    except StriateError as error:
        return "refused" if "\n" not in str(error) else "several lines"
    return "accepted"
