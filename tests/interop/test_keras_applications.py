"""The networks of ``keras.applications``, saved by Keras in both formats, against what Keras computes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.interop import keras as ours

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("torch")
pytest.importorskip("h5py")
keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:keras"),
]
TOLERANCE = 1e-4  # of the largest value
SIZES = {
    "ConvNeXtTiny": 64, "DenseNet121": 64, "EfficientNetB0": 64, "EfficientNetV2B0": 64, "InceptionResNetV2": 96,
    "InceptionV3": 96, "MobileNet": 96, "MobileNetV2": 96, "MobileNetV3Large": 96, "MobileNetV3Small": 96,
    "ResNet50": 64, "ResNet50V2": 64, "VGG16": 32, "VGG19": 32, "Xception": 96,
}  # fmt: skip


def with_statistics(model: Any) -> Any:
    """Give every normalisation statistics of its own, as training does; the weights are random already."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("moving_variance", "gamma"):
            weight.assign(rng.uniform(0.8, 1.2, shape))
        elif weight.name in ("moving_mean", "beta", "bias"):
            weight.assign(rng.normal(0, 0.1, shape))
    return model


@pytest.mark.parametrize("name", SIZES)
def test_applications_give_what_keras_gives(name: str, tmp_path: Path) -> None:
    keras.backend.clear_session()
    shape = (SIZES[name], SIZES[name], 3)
    network = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=shape)
    theirs = with_statistics(network)
    x = np.random.default_rng(1).uniform(0, 255, (2, *shape)).astype(np.float32)
    wanted = np.asarray(theirs.predict(x, verbose=0))
    assert wanted.std() > 0.01 * np.abs(wanted).max() > 0
    for ending in ("keras", "h5"):
        theirs.save(tmp_path / f"m.{ending}")
        model = ours.load(tmp_path / f"m.{ending}")
        found = np.moveaxis(model.outputs(np.moveaxis(x, -1, 1)), 1, -1)
        assert np.abs(found - wanted).max() <= TOLERANCE * np.abs(wanted).max()
