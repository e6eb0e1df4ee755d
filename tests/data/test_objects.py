"""Samples of other libraries' objects, recognised by what they can do."""

import numpy as np
import pytest

from striate.data.objects import dataset_from
from striate.errors import DataError

X = np.arange(6 * 3 * 4 * 4, dtype=np.float32).reshape(6, 3, 4, 4)
Y = np.array([0, 1, 2, 0, 1, 2])


class Indexed:
    classes = ("a", "b", "c")

    def __len__(self):
        return 6

    def __getitem__(self, number):
        return X[number], Y[number]


class Labels:
    names = ("a", "b", "c")


class Named(Indexed):
    classes = None

    def __init__(self):
        self.features = {"image": None, "label": Labels()}

    def __getitem__(self, number):
        return {"image": X[number], "label": int(Y[number])}


def batches():
    for start in range(0, 6, 4):
        yield X[start : start + 4], Y[start : start + 4]


@pytest.mark.parametrize("source", [Indexed(), Named(), batches(), [{"x": X[i], "y": Y[i]} for i in range(6)]])
def test_the_same_samples_from_every_kind_of_object(source):
    found = dataset_from(source)
    np.testing.assert_array_equal(found.inputs, X)
    np.testing.assert_array_equal(found.targets, Y)
    assert found.classes in (("a", "b", "c"), ("0", "1", "2"))


def test_datasets_and_loaders_of_pytorch():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X, requires_grad=True), torch.tensor(Y))
    for source in (data, torch.utils.data.DataLoader(data, batch_size=4)):
        found = dataset_from(source)
        np.testing.assert_array_equal(found.inputs, X)
        np.testing.assert_array_equal(found.targets, Y)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "at least one sample"),
        ([1, 2], "sample 0: must be a pair"),
        ([{"a": 1}], "needs keys such as image and label; got a"),
        ([([1, 2], 0), ([1, 2, 3], 1)], "must have one shape"),
        (iter([([[1.0], [2.0]], [0])]), "batch 0: every sample needs one target; got 2 and 1"),
    ],
)
def test_other_objects_are_refused_in_one_line(source, message):
    with pytest.raises(DataError, match=message):
        dataset_from(source)
