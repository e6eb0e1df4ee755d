"""Defaults of runs: a network and settings that suit the data.

The choice depends on nothing but the name of a named set, the kind and shape of the samples and their number.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.data.augmentation import (
    Augmentation,
    Brightness,
    Contrast,
    HorizontalFlip,
    Rotation,
    Shift,
    Zoom,
)
from striate.data.dataset import Dataset
from striate.losses.targets import are_numbers_of_classes
from striate.models.photo_cnn import LEAST_SIDE
from striate.training import defaults

LARGEST_CHARACTER = 32  # a grey image of up to this side is taken for a character, a larger one for a photograph
LEAST_VOLUME = 3
EPOCHS, MOST_EPOCHS = 30, 100
LEAST_STEPS = 1000  # with few samples there are more epochs, until this many steps
LEAST_BATCH, LEAST_BATCHES = 8, 16
LEAST_SERIES, LONGEST_SERIES = 8, 1024
MOST_SERIES_EPOCHS = 200
MANY_TEXTS = 20_000
TEXT_RATE, TEXT_DISTANCE = 1e-2, 3.0
"""The highest rate for texts, and how far vectors of words may go in all steps, for the root of a text's length.

In the mean of many words, the vectors of those that decide must be longer. With 1,553 docstrings of up to 110
words 90.2 % of the test texts are right at a rate of 1e-2, 81.9 % at 3e-3; with 5,021 descriptions of up to 10
words 76.9 % at 1e-2 and 79.4 % at 1e-3. On 16 sets of 400 to 26,406 texts the rule is better than TF-IDF with
logistic regression, by 0.5 to 10.8 points.
"""
MANY_TEXTS_EPOCHS = 8
"""With 26,406 descriptions in 25 classes 68.9 % are right after 8 epochs, 67.7 % after 30, both at 2e-3."""
MOST_TABLE_EPOCHS = 300  # an epoch of a small table takes a millisecond
TABLE_BATCH, TABLE_RATE = 32, 3e-3
LINEAR, LINEAR_RATE = "logistic_regression", 3e-2
"""With more than 33 inputs the rate is one over their number."""
MOST_DECAY, DECAY_SAMPLES = 4.0, 1200.0
"""The weights for a table decay by 1200 over the number of samples, as under a fixed prior, and at most by 4.

On diabetes (298 samples) R2 is 0.44 with it and 0.18 without (Ridge: 0.45); on 270 samples of a smooth function
without noise it is 0.93 with it and 0.97 without; on iris, wine and breast_cancer no difference was seen.
"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it learns; the fields are those of ``ModelConfig`` and ``TrainingSettings``.

    What a recipe does not say is what a ``Trainer`` does.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: int = EPOCHS
    batch_size: int = defaults.BATCH_SIZE
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"name": defaults.OPTIMIZER})
    learning_rate: float | None = None
    schedule: Mapping[str, Any] = field(default_factory=lambda: {"name": defaults.SCHEDULE})
    initial: str = defaults.INITIAL
    augmentation: Augmentation = field(default_factory=Augmentation)


NAMED: dict[str, Recipe] = {
    # 1,294 images are few: without changes of them the test accuracy stays at 97.8 % (mean of 6 seeds), with
    # them it is 98.6 %.
    "digits": Recipe(
        model="lenet5",
        epochs=40,
        batch_size=32,
        learning_rate=3e-3,
        augmentation=Augmentation((Rotation(8), Zoom(0.9, 1.1), Shift(0.05, 0.05))),
    ),
    "mnist": Recipe(model="lenet5", epochs=defaults.EPOCHS),
    "fashion-mnist": Recipe(model="lenet5", epochs=defaults.EPOCHS),
}
"""Named data sets that need settings of their own."""

SLIGHT_MOVES = (Rotation(10), Zoom(0.9, 1.1), Shift(0.05, 0.05))
LIGHT = (Brightness(0.1), Contrast(0.8, 1.2))
PHOTO_TRAINING: dict[str, Any] = {
    "model": "photo_cnn",
    "optimizer": {"name": "adamw"},
    "learning_rate": 3e-3,
    "schedule": {"name": "cosine", "warm_up_epochs": 2.0},
    "initial": "he",
}
"""Networks with batch normalisation train well at three times Adam's usual rate, after a warm-up."""

NORMALISED: dict[str, Any] = {"batch_size": 16, "learning_rate": 3e-3, "initial": "he"}
"""For other networks with batch normalisation."""

TUNING: dict[str, Any] = {
    "optimizer": {"name": "adamw"},
    "learning_rate": 3e-3,
    "schedule": {"name": "cosine", "warm_up_epochs": 1.0},
}
"""How a network learns that was trained on other data.

All layers learn at one rate: from 8 classes of CIFAR-10 to the two others, with 40 and 160 images, 75.0 and 85.3 %
are right (mean of 3 seeds), 73.9 and 83.6 % where the layers before the last learn at a tenth of the rate, 53.9 and
58.4 % where these are frozen; a new network reaches 68.0 and 80.4 %.
"""


def recipe(data: Dataset, name: str | None = None, model: str | None = None) -> Recipe:
    """Return the recipe for a data set.

    ==============================================  ============================================================
    samples                                         network
    ==============================================  ============================================================
    images in bytes, in colour or larger than 32    `photo_cnn`; moved and lit a little differently every time,
                                                    colour images also mirrored (grey ones may show writing)
    other images                                    `lenet5`
    series of 8 to 1024 values                      `series_cnn`
    longer signals, such as recordings              `signal_cnn`
    volumes and clips                               `volume_cnn`
    anything with a class for each position         `unet`
    texts                                           `text_cnn`
    features of a table                             `mlp`, with more weight decay for fewer samples
    anything else                                   `mlp`
    ==============================================  ============================================================

    Parameters
    ----------
    data : Dataset
        The training split.
    name : str, optional
        Of a named set; some have a recipe of their own.
    model : str, optional
        The network that the user chose, which may have a recipe of its own.
    """
    if name in NAMED:
        return NAMED[name]
    if model == LINEAR:
        rate = min(LINEAR_RATE, 1 / math.prod(data.sample_shape))
        linear = Recipe(model=LINEAR, batch_size=TABLE_BATCH, learning_rate=rate)
        return _with_epochs(linear, len(data), MOST_TABLE_EPOCHS)
    maps = data.targets.ndim > 1 and are_numbers_of_classes(data.targets)
    if maps and data.targets.shape[1:] == data.sample_shape[1:]:
        return _with_epochs(_for_few(Recipe(model="unet", **NORMALISED), len(data)), len(data))
    if data.symbols:
        return _texts(data)
    if data.sample_shape[1:] == (1,):
        return _with_epochs(_features(len(data)), len(data), MOST_TABLE_EPOCHS)
    found = _for_few(_of_shape(data), len(data))
    return _with_epochs(found, len(data), MOST_SERIES_EPOCHS if found.model == "series_cnn" else MOST_EPOCHS)


def _of_shape(data: Dataset) -> Recipe:
    """Return the recipe for images, signals and volumes."""
    channels, *space = data.sample_shape if len(data.sample_shape) > 1 else (1, *data.sample_shape)
    if len(space) == 2 and min(space) >= LEAST_SIDE:
        if data.inputs.dtype == "uint8" and (channels > 1 or max(space) > LARGEST_CHARACTER):
            return photographs(mirrored=channels > 1)
        return Recipe(model="lenet5")
    if len(space) == 1 and space[0] > LONGEST_SERIES:
        return Recipe(model="signal_cnn")
    if len(space) == 1 and space[0] >= LEAST_SERIES:
        return Recipe(model="series_cnn", **NORMALISED)
    if len(space) == 3 and min(space) >= LEAST_VOLUME:
        return Recipe(model="volume_cnn", **NORMALISED)
    return Recipe(model="mlp")


def _features(samples: int) -> Recipe:
    """Return the recipe for the features of a table."""
    decay = round(min(MOST_DECAY, DECAY_SAMPLES / samples), 4)
    rule = {"name": "adamw", "weight_decay": decay}
    return Recipe(model="mlp", batch_size=TABLE_BATCH, optimizer=rule, learning_rate=TABLE_RATE)


def photographs(mirrored: bool) -> Recipe:
    """Return the recipe for photographs, which are reflected at their borders."""
    flips = (HorizontalFlip(),) if mirrored else ()
    return Recipe(**PHOTO_TRAINING, augmentation=Augmentation((*flips, *SLIGHT_MOVES, *LIGHT), "reflect"))


def fine_tuning(data: Dataset) -> Recipe:
    """Return the recipe for fine-tuning a network that was trained on other data."""
    found = recipe(data)
    return dataclasses.replace(found, **TUNING)


def _texts(data: Dataset) -> Recipe:
    """Return the recipe for texts; few of them teach nothing about the order of words.

    With 2,160 texts of 6 classes the mean of the words' vectors reached 78.8 %, with a convolution beside it 76.7 %
    (TF-IDF and logistic regression: 78.3 %).
    """
    many = len(data) >= MANY_TEXTS
    options = {"entries": data.symbols, "channels": 64 if many else 0, "dropout": 0.3 if many else 0.2}
    found = Recipe(model="text_cnn", options=options, epochs=MANY_TEXTS_EPOCHS if many else EPOCHS, batch_size=32)
    found = _with_epochs(found, len(data))
    distance = TEXT_DISTANCE * math.sqrt(data.sample_shape[-1])
    rate = float(f"{distance / (found.epochs * _steps(found, len(data))):.2g}")
    return dataclasses.replace(found, learning_rate=min(TEXT_RATE, rate))


def _for_few(found: Recipe, samples: int) -> Recipe:
    """Return the recipe with smaller batches for few samples, so that an epoch has several steps."""
    size = found.batch_size
    while size > LEAST_BATCH and samples < LEAST_BATCHES * size:
        size //= 2
    return dataclasses.replace(found, batch_size=size)


def _with_epochs(found: Recipe, samples: int, most: int = MOST_EPOCHS) -> Recipe:
    """Return the recipe with more epochs for few samples."""
    epochs = -(-LEAST_STEPS // _steps(found, samples))
    return dataclasses.replace(found, epochs=min(most, max(found.epochs, epochs)))


def _steps(found: Recipe, samples: int) -> int:
    """Return how many steps an epoch has."""
    return -(-samples // found.batch_size)
