"""What a run does where its configuration leaves it open."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from striate.data.augmentation import Augmentation, Brightness, HorizontalFlip, Rotation
from striate.data.dataset import Dataset
from striate.models.registry import build
from striate.training import AdamW
from striate.training.run import DataConfig, ModelConfig, RunConfig, TrainingSettings
from striate.training.run.recipes import LEAST_STEPS, recipe
from striate.training.run.resolve import resolve


def samples(shape: tuple[int, ...], dtype: type = np.uint8, count: int = 4) -> Dataset:
    return Dataset(np.zeros((count, *shape), dtype), np.arange(count) % 2, ("a", "b"))


@pytest.mark.parametrize(
    ("shape", "dtype", "model"),
    [
        ((3, 64, 64), np.uint8, "photo_cnn"),
        ((3, 4, 4), np.uint8, "photo_cnn"),
        ((1, 28, 40), np.uint8, "photo_cnn"),
        ((1, 32, 32), np.uint8, "lenet5"),
        ((3, 64, 64), np.float32, "lenet5"),
        ((1, 3, 64), np.uint8, "mlp"),
        ((2, 1025), np.float32, "signal_cnn"),
        ((2, 64), np.float32, "series_cnn"),
        ((1, 7), np.float32, "mlp"),
        ((3, 16, 64, 48), np.uint8, "volume_cnn"),
        ((1, 10, 12, 13), np.uint8, "volume_cnn"),
        ((1, 2, 12, 13), np.uint8, "mlp"),
        ((7,), np.float32, "mlp"),
    ],
)
def test_the_network_suits_the_samples(shape, dtype, model):
    found = recipe(samples(shape, dtype))
    assert found.model == model
    assert build(found.model, 2, shape).input_shape == shape
    assert bool(found.augmentation.transforms) == (model == "photo_cnn")


@pytest.mark.parametrize("shape", [(3, 32, 33), (1, 50), (1, 9, 8, 7)])
def test_a_class_for_each_position_takes_a_unet(shape):
    maps = np.random.default_rng(0).integers(0, 3, (20, *shape[1:]))
    found = recipe(Dataset(np.zeros((20, *shape), np.float32), maps, ("a", "b", "c")))
    assert found.model == "unet"
    assert build("unet", 3, shape).output_shape == (3, *shape[1:])


@pytest.mark.parametrize(("count", "decay"), [(100, 4.0), (1000, 1.2), (50_000, 0.024)])
def test_few_rows_of_a_table_are_held_back_more(count, decay):
    found = recipe(samples((5, 1), np.float32, count))
    assert (found.model, found.optimizer["weight_decay"]) == ("mlp", decay)
    linear = recipe(samples((5, 1), np.float32, count), model="logistic_regression")
    assert linear.learning_rate == 3e-2


def test_colour_is_mirrored_and_grey_is_not_since_it_may_be_writing():
    colour, grey = (recipe(samples((channels, 64, 64))).augmentation for channels in (3, 1))
    assert HorizontalFlip() in colour.transforms
    assert colour.transforms[1:] == grey.transforms
    assert any(isinstance(transform, Brightness) for transform in grey.transforms)
    assert colour.border == "reflect"


@pytest.mark.parametrize(("count", "epochs"), [(60, 100), (1600, 40), (2352, 30), (100_000, 30)])
def test_few_samples_are_gone_through_more_often(count, epochs):
    found = recipe(samples((3, 4, 4), count=count))
    assert found.epochs == epochs
    assert found.epochs == 100 or found.epochs * math.ceil(count / found.batch_size) >= LEAST_STEPS


def test_named_sets_have_recipes_of_their_own():
    assert recipe(samples((1, 28, 28)), "mnist").epochs == 10
    assert not recipe(samples((1, 28, 28)), "mnist").augmentation.transforms
    assert recipe(samples((1, 8, 8)), "digits").learning_rate == 3e-3


def open_config(**training: object) -> RunConfig:
    return RunConfig(data=DataConfig(name="photographs"), training=TrainingSettings(**training))  # type: ignore[arg-type]


def test_few_samples_get_smaller_batches():
    assert [recipe(samples((3, 32, 32), count=count)).batch_size for count in (4, 300, 600, 1024)] == [
        8,
        16,
        32,
        64,
    ]


def test_what_is_open_is_filled_and_the_rest_stays():
    data = samples((3, 32, 32), count=1024)
    found = resolve(open_config(epochs=3, schedule={"warm_up_epochs": 1.0}, seed=5), data)
    assert found.model.name == "photo_cnn"
    t = found.training
    assert (t.epochs, t.batch_size, t.initial, t.learning_rate, t.seed) == (3, 64, "he", 3e-3, 5)
    assert (t.optimizer, t.schedule) == (AdamW(), {"name": "cosine", "warm_up_epochs": 1.0, "floor": 0.0})
    assert t.augmentation == recipe(data).augmentation
    assert resolve(found, data) == found
    assert resolve(open_config(schedule={"name": "constant"}), data).training.schedule["name"] == "constant"
    for own in (Augmentation(), Augmentation((Rotation(5),))):
        assert resolve(open_config(augmentation=own), data).training.augmentation == own


def test_the_rate_of_a_recipe_is_for_its_network_and_optimizer_alone():
    data = samples((3, 32, 32))
    other = dataclasses.replace(open_config(), model=ModelConfig(name="small_vgg"))
    assert resolve(other, data).training.learning_rate == 1e-3
    assert resolve(open_config(optimizer={"name": "momentum"}), data).training.learning_rate == 0.01
    assert (
        resolve(open_config(optimizer={"name": "momentum"}, learning_rate=0.5), data).training.learning_rate == 0.5
    )


@pytest.mark.parametrize(
    ("count", "length", "rate", "epochs"),
    [(1553, 110, 1e-2, 30), (5021, 10, 2.0e-3, 30), (60, 10, 1e-2, 100), (26_406, 10, 1.4e-3, 8)],
)
def test_short_and_many_texts_learn_at_a_lower_rate(count, length, rate, epochs):
    texts = Dataset(np.zeros((count, 1, length), np.float32), np.arange(count) % 2, ("a", "b"), symbols=50)
    found = recipe(texts)
    assert (found.model, found.epochs, found.learning_rate) == ("text_cnn", epochs, rate)
