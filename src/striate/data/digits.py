"""The embedded data set: 1,797 handwritten digits of 8x8 pixels that come with scikit-learn."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.data.splits import Splits, split_validation, with_validation

CLASSES = tuple("0123456789")
TEST_FRACTION = 0.2
TEST_SEED = 1998  # fixed: the test set is the same whatever the seed of a run


def digits(seed: int = 0, validation_fraction: float = 0.1) -> Splits:
    """Return scikit-learn's scanned digits, split by class into train, validation and test.

    The test part (a fifth) is fixed; the validation part is cut from the rest by ``seed``. The 17 grey
    levels ``v`` of the original, 0 to 16, become the bytes ``round(v * 255 / 16)``, light on dark.

    Returns
    -------
    Splits
        inputs uint8[N, 1, 8, 8], targets int64[N].

    References
    ----------
    Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository.
    """
    from sklearn.datasets import load_digits

    source = load_digits()
    levels = source.images.astype(np.int64)
    inputs = ((levels * 255 + 8) // 16).astype(np.uint8)[:, np.newaxis]
    everything = Dataset(inputs, source.target.astype(np.int64), CLASSES, "digits")
    learn, test = split_validation(everything, TEST_FRACTION, TEST_SEED)
    return with_validation(learn, test, seed, validation_fraction)
