"""The explain package as a whole: light to import, and of one mind with the layers."""

import math
import subprocess
import sys

import pytest

from striate import explain
from striate.layers import Conv1d, Conv2d, Conv3d, MaxPool2d
from striate.worksheets.arithmetic import convolution, pooling

HEAVY = ("matplotlib", "scipy", "PIL", "numba", "sklearn", "torch", "pandas")


def test_every_name_is_there():
    for name in explain.__all__:
        assert hasattr(explain, name)


def test_heavy_libraries_are_not_imported():
    code = f"import sys, striate.explain; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("layer", [Conv1d, Conv2d, Conv3d])
@pytest.mark.parametrize("padding", ["same", "valid", 1, 2])
@pytest.mark.parametrize(("stride", "dilation", "groups"), [(1, 1, 1), (2, 1, 2), (3, 2, 1), (1, 3, 2)])
def test_sizes_and_costs_are_those_of_the_layers(layer, padding, stride, dilation, groups):
    dims = layer.rank
    shape = (4, *(9, 10, 11)[:dims])
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    found = convolution(shape[1:], 3, in_channels=4, out_channels=6, **settings)
    built = layer(6, 3, **settings)
    assert found.output_shape[1:] == built.output_shape(shape)
    assert found.multiply_adds == built.multiply_adds(shape)
    weights = [parameter.shape for parameter in built.parameters(shape)]
    assert found.parameters == sum(math.prod(shape) for shape in weights)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), (2, 3, 1), (3, 1, "same")])
def test_pooling_sizes_are_those_of_the_layers(kernel, stride, padding, ceil_mode):
    settings = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    for size in ((7, 8), (9, 5)):
        found = pooling(size, kernel, channels=2, **settings)
        assert found.output_shape[1:] == MaxPool2d(kernel, **settings).output_shape((2, *size))


def test_the_arithmetic_is_that_of_a_layer_which_can_be_copied():
    found = convolution(28, 5, in_channels=3, out_channels=8, padding="same", stride=2)
    assert found.layer == Conv2d(8, 5, stride=2, padding=((1, 2), (1, 2)))
    assert repr(found.layer) in str(found)
    assert found.parameters == sum(one.size for one in found.layer.parameters((3, 28, 28)))


def test_a_pooling_window_may_be_larger_than_the_input_if_the_layer_allows_it():
    assert (
        pooling(2, 3, stride=2, ceil_mode=True).output_size
        == MaxPool2d(3, stride=2, ceil_mode=True).output_shape((1, 2, 2))[1:]
    )
