"""Augmentation on the fly: seeded, composable, the same after a resumed run."""

from striate.data.augmentation.geometry import (
    Crop,
    HorizontalFlip,
    ResizedCrop,
    Rotation,
    Shear,
    Shift,
    VerticalFlip,
    Zoom,
)
from striate.data.augmentation.mixing import Mixup
from striate.data.augmentation.pipeline import Augmentation
from striate.data.augmentation.values import Brightness, Contrast, Cutout, Noise, Scale

__all__ = [
    "Augmentation",
    "Brightness",
    "Contrast",
    "Crop",
    "Cutout",
    "HorizontalFlip",
    "Mixup",
    "Noise",
    "ResizedCrop",
    "Rotation",
    "Scale",
    "Shear",
    "Shift",
    "VerticalFlip",
    "Zoom",
]
