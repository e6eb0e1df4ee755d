"""Samples of other libraries' objects, recognised by what they can do."""

import numpy as np
import pytest
from PIL import Image

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
        ([("hello", 0)], "samples must be numbers; got <U5"),
        ([([1j], 0)], "samples must be numbers; got complex128"),
        (
            [([1, 2], [0.0]), ([1, 2], [0.0, 1.0])],
            r"sample 1: targets must have one shape; got \[2\], the",
        ),
        ({"train": [], "test": []}, "must be one data set; got a mapping of train, test"),
        (iter([([[1.0], [2.0]], [0])]), "item 0: every sample needs one target; got 2 and 1"),
    ],
)
def test_other_objects_are_refused_in_one_line(source, message):
    with pytest.raises(DataError, match=message):
        dataset_from(source)


@pytest.mark.parametrize("read", ["memory", "stream"])
def test_iterators_of_single_samples_and_of_uneven_batches(read):
    pairs = list(zip(X, Y, strict=True))
    for source in (iter(pairs), iter([(X[:4], Y[:4]), (X[4:5], Y[4:5]), (X[5:], Y[5:]), (X[:0], Y[:0])])):
        found = dataset_from(source, read=read)
        np.testing.assert_array_equal(np.asarray(found.inputs[:]), X)
        np.testing.assert_array_equal(found.targets, Y)
    for other in (X[4:, ..., :1], (X[4:] > 0)):
        with pytest.raises(DataError, match="samples must have one shape and type; sample 4 is"):
            dataset_from(iter([(X[:4], Y[:4]), (other, Y[4:])]), read=read)


@pytest.mark.parametrize("read", ["memory", "stream"])
def test_an_error_in_the_objects_own_code_says_which_sample_it_was(read):
    class Broken(list):
        def __getitem__(self, number):
            if number == 4:
                raise OSError("the disk is gone")
            return super().__getitem__(number)

    with pytest.raises(OSError, match="the disk is gone") as found:
        np.asarray(dataset_from(Broken(zip(X, Y, strict=True)), read=read).inputs[:])
    assert found.value.__notes__ == ["data: sample 4"]


@pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK"])
def test_images_in_unusual_modes_become_colours(mode):
    image = Image.new("RGB", (4, 4), (200, 0, 0)).convert(mode)
    found = dataset_from([(image, 0), (image, 1)])
    assert found.sample_shape == (3, 4, 4)
    assert abs(int(found.inputs[0, 0, 0, 0]) - 200) < 5
