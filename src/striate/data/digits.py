"""The data set that comes with striate: 1,797 handwritten digits of 8x8 pixels.

``digits.npz`` holds the test split of Alpaydin and Kaynak's data set as scikit-learn distributes it (CC BY 4.0):
levels uint8[1797, 8, 8] from 0 to 16, and labels uint8[1797].
"""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np

from striate.data.dataset import Dataset
from striate.data.splits import Splits, split_validation, with_validation

CLASSES = tuple("0123456789")
TEST_FRACTION = 0.2
TEST_SEED = 1998  # fixed: the test set is the same whatever the seed of a run


def digits(seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return scanned digits, split by class into train, validation and test.

    The test split (a fifth) is fixed; the validation split is cut from the rest by ``seed``. The 17 grey
    levels ``v`` of the original, 0 to 16, become the bytes ``round(v * 255 / 16)``, light on dark.

    Returns
    -------
    Splits
        inputs uint8[N, 1, 8, 8], targets int64[N].

    References
    ----------
    Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository.
    """
    with as_file(files("striate.data") / "digits.npz") as path, np.load(path, allow_pickle=False) as source:
        levels, labels = (source[name].astype(np.int64) for name in ("levels", "labels"))
    inputs = ((levels * 255 + 8) // 16).astype(np.uint8)[:, np.newaxis]
    everything = Dataset(inputs, labels, CLASSES, "digits")
    learn, test = split_validation(everything, TEST_FRACTION, TEST_SEED)
    return with_validation(learn, test, seed, validation_fraction)
