from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.data.leakage import Leak, find_leaks
from striate.data.splits import Splits


def part(values: list[float], dtype=np.uint8, files=None) -> Dataset:
    inputs = np.repeat(np.array(values, dtype), 4).reshape(-1, 1, 4)
    names = None if files is None else np.array(files)
    return Dataset(inputs, np.zeros(len(values), np.int64), ("a",), files=names)


def test_the_same_bytes_are_found_once_for_each_sample_outside_the_training_part():
    splits = Splits(part([1, 2, 3, 2]), part([9, 2]), part([2, 8, 3, 3]))
    assert find_leaks(splits) == [
        Leak(1, "validation", 1),
        Leak(1, "test", 0),
        Leak(2, "test", 2),
        Leak(2, "test", 3),
    ]


def test_other_bytes_are_none():
    assert find_leaks(Splits(part([1, 2]), None, part([3, 4]))) == []
    assert find_leaks(Splits(part([1, 2]))) == []
    assert find_leaks(Splits(part([0.5], np.float32), None, part([0.5000001], np.float32))) == []


def test_a_leak_is_told_by_file_name():
    splits = Splits(part([1], files=["a/1.png"]), part([1]), part([1], files=["b/7.png"]))
    assert [leak.describe(splits) for leak in find_leaks(splits)] == [
        "a/1.png is the same as validation sample 0",
        "a/1.png is the same as b/7.png",
    ]


def test_mnist_has_none(shared_data):
    from striate.data.mnist import mnist

    assert find_leaks(mnist(shared_data / "mnist")) == []
