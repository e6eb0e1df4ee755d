"""What each layer of Keras is in ONNX operators."""

from striate.interop.keras.builder import TRANSLATIONS
from striate.interop.keras.translations import (
    activations,
    arithmetic,
    attention,
    normalisation,
    recurrent,
    shapes,
    windows,
)

__all__ = [
    "TRANSLATIONS",
    "activations",
    "arithmetic",
    "attention",
    "normalisation",
    "recurrent",
    "shapes",
    "windows",
]
