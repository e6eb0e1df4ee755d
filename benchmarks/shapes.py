"""The single operations that are measured: usual shapes of the networks people train, 40 in all."""

from __future__ import annotations

from dataclasses import dataclass

from striate import layers
from striate.layers import Layer
from striate.layers.base import Shape


@dataclass(frozen=True)
class Single:
    """One operation: where it comes from, the layer, the shape of a sample, the batch."""

    name: str
    layer: Layer
    shape: Shape
    batch: int


def _conv(name: str, shape: Shape, batch: int, channels: int, kernel: int, **options: object) -> Single:
    kind = (layers.Conv1d, layers.Conv2d, layers.Conv3d)[len(shape) - 2]
    return Single(name, kind(channels, kernel, **options), shape, batch)  # type: ignore[arg-type]


SHAPES = (
    _conv("LeNet-5 conv1, 5x5", (1, 28, 28), 64, 6, 5, padding=2),
    _conv("LeNet-5 conv2, 5x5", (6, 14, 14), 64, 16, 5),
    _conv("digit recogniser conv2, 3x3", (8, 14, 14), 64, 16, 3, padding="same"),
    _conv("small VGG conv1, 3x3", (3, 32, 32), 64, 32, 3, padding=1),
    _conv("small VGG conv2, 3x3", (32, 32, 32), 64, 32, 3, padding=1),
    _conv("small VGG conv4, 3x3", (64, 16, 16), 64, 64, 3, padding=1),
    _conv("AlexNet conv1, 11x11 by 4", (3, 224, 224), 32, 64, 11, stride=4, padding=2),
    _conv("AlexNet conv2, 5x5", (64, 27, 27), 32, 192, 5, padding=2),
    _conv("AlexNet conv4, 3x3", (384, 13, 13), 32, 256, 3, padding=1),
    _conv("AlexNet of 1 tower in 2 groups, 5x5", (96, 27, 27), 32, 256, 5, padding=2, groups=2),
    _conv("VGG-16 conv1, 3x3", (64, 112, 112), 32, 64, 3, padding=1),
    _conv("VGG-16 conv8, 3x3", (256, 28, 28), 32, 512, 3, padding=1),
    _conv("ResNet conv1, 7x7 by 2", (3, 112, 112), 32, 64, 7, stride=2, padding=3),
    _conv("ResNet stage 1, 3x3", (64, 28, 28), 32, 64, 3, padding=1),
    _conv("ResNet stage 3, 3x3", (256, 14, 14), 32, 256, 3, padding=1),
    _conv("ResNet stage 2, 3x3 by 2", (64, 28, 28), 32, 128, 3, stride=2, padding=1),
    _conv("ResNet shortcut, 1x1 by 2", (64, 28, 28), 32, 128, 1, stride=2),
    _conv("ResNet-50 widening, 1x1", (64, 28, 28), 32, 256, 1),
    _conv("GoogLeNet branch, 5x5", (16, 28, 28), 32, 32, 5, padding=2),
    _conv("dilated by 2, 3x3", (32, 28, 28), 32, 32, 3, padding=2, dilation=2),
    _conv("depthwise, 3x3", (64, 28, 28), 32, 64, 3, padding=1, groups=64),
    _conv("signal conv1, 64 by 8", (1, 1024), 64, 16, 64, stride=8),
    _conv("signal conv2, 3", (32, 256), 64, 64, 3, padding=1),
    _conv("volume conv, 3x3x3", (8, 16, 16, 16), 32, 16, 3, padding=1),
    Single("transposed, 4x4 by 2", layers.ConvTranspose2d(32, 4, 2, 1), (64, 14, 14), 32),
    Single("linear 400 to 120", layers.Linear(120), (400,), 64),
    Single("linear 784 to 1000", layers.Linear(1000), (784,), 64),
    Single("linear 4096 to 1024", layers.Linear(1024), (4096,), 64),
    Single("maximum pooling, 2x2", layers.MaxPool2d(2), (32, 32, 32), 64),
    Single("maximum pooling, 3x3 by 2", layers.MaxPool2d(3, 2, padding=1), (64, 56, 56), 32),
    Single("average pooling, 2x2", layers.AvgPool2d(2), (32, 32, 32), 64),
    Single("global average", layers.GlobalAvgPool(), (512, 7, 7), 32),
    Single("batch normalisation", layers.BatchNorm(), (64, 28, 28), 32),
    Single("group normalisation, 8 groups", layers.GroupNorm(8), (64, 28, 28), 32),
    Single("local response, 5", layers.LocalResponseNorm(5), (64, 27, 27), 32),
    Single("ReLU", layers.ReLU(), (64, 32, 32), 32),
    Single("GELU", layers.GELU(), (64, 32, 32), 32),
    Single("sigmoid", layers.Sigmoid(), (64, 32, 32), 32),
    Single("softmax", layers.Softmax(), (1000,), 64),
    Single("upsampling by 2, nearest", layers.Upsample(2), (32, 28, 28), 32),
)
