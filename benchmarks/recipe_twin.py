"""The same recipe twice: a small VGG learns pictures with random crops and flips in striate and in PyTorch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from benchmarks.ours import BETA1, BETA2, EPSILON, RATE
from benchmarks.twin import twin
from striate.data.augmentation import Augmentation, Crop, HorizontalFlip
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.machine import available_threads
from striate.models.registry import build
from striate.network import Network
from striate.training.initialisation import initialise
from striate.training.schedules import schedule
from striate.training.trainer import Trainer

PADDING = 4


@dataclass(frozen=True)
class Recipe:
    """What both sides do: Adam with a rate that falls along a cosine, crops out of a margin of 4, mirroring."""

    model: str = "small_vgg"
    epochs: int = 20
    batch_size: int = 64
    rate: float = RATE
    initial: str = "he"

    def network(self, data: Dataset) -> Network:
        """Return the network."""
        return build(self.model, len(data.classes), data.sample_shape)

    def steps_per_epoch(self, data: Dataset) -> int:
        """Return the number of steps."""
        return math.ceil(len(data) / self.batch_size)


def striate_accuracy(recipe: Recipe, train: Dataset, test: Dataset, seed: int) -> float:
    """Return the test accuracy of striate."""
    steps = recipe.steps_per_epoch(train)
    trainer = Trainer(
        recipe.network(train),
        learning_rate=schedule("cosine", recipe.rate, steps, recipe.epochs),
        batch_size=recipe.batch_size,
        seed=seed,
        initial=recipe.initial,
        augmentation=Augmentation((HorizontalFlip(), Crop(PADDING))),
    )
    trainer.fit(train, epochs=recipe.epochs)
    accuracy = trainer.model.evaluate(test).accuracy
    assert accuracy is not None
    return accuracy


def pytorch_accuracy(recipe: Recipe, train: Dataset, test: Dataset, seed: int) -> float:
    """Return the test accuracy of PyTorch, which shuffles, crops and flips by itself.

    It starts from striate's first weights, which are normal with He's deviation, and gets the same normalisation.
    """
    torch.set_num_threads(available_threads())
    torch.manual_seed(seed)
    network = recipe.network(train)
    theta, _ = initialise(network, recipe.initial, seed)
    model = twin(network, theta).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), recipe.rate, (BETA1, BETA2), EPSILON, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * recipe.steps_per_epoch(train))
    scale = Normalisation.fit(train)
    pixels, labels = torch.from_numpy(train.inputs), torch.from_numpy(train.targets)
    model.train()
    for _ in range(recipe.epochs):
        for index in torch.randperm(len(pixels)).split(recipe.batch_size):
            x = _normalised(_changed(pixels[index]), scale)
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(x), labels[index]).backward()
            optimizer.step()
            falling.step()
    return _accuracy(model.eval(), _normalised(torch.from_numpy(test.inputs), scale), test.targets)


def _changed(pixels: torch.Tensor) -> torch.Tensor:
    """Return bytes [N, C, H, W] mirrored in half of the cases and cut out of a black margin."""
    count, _, height, width = pixels.shape
    flipped = torch.where(torch.rand(count, 1, 1, 1) < 0.5, pixels.flip(3), pixels)
    padded = nn.functional.pad(flipped, (PADDING,) * 4)
    corners = torch.randint(0, 2 * PADDING + 1, (count, 2)).tolist()
    cut = [image[:, y : y + height, x : x + width] for image, (y, x) in zip(padded, corners, strict=True)]
    return torch.stack(cut)


def _normalised(pixels: torch.Tensor, scale: Normalisation) -> torch.Tensor:
    mean, deviation = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (scale.mean, scale.scale))
    return ((pixels.float() - mean) / deviation).contiguous(memory_format=torch.channels_last)


def _accuracy(model: nn.Module, x: torch.Tensor, targets: np.ndarray) -> float:
    with torch.inference_mode():
        predicted = torch.cat([model(piece).argmax(1) for piece in x.split(256)])
    return float(np.mean(predicted.numpy() == targets))
