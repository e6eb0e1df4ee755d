"""Which layout computes a batch: one rule, which looks at the network and the number of samples alone."""

from __future__ import annotations

import math

from striate.engine.lowering.winograd import LEAST_CHANNELS
from striate.layers.convolution import Convolution
from striate.layers.shape import InputLayer
from striate.machine import default_lanes
from striate.network import Network, Step

WINOGRAD_SHARE = 0.4  # of the direct sum's time, measured on 32 to 256 channels


def batch_class(count: int) -> int:
    """Return the batch size of the plan that computes ``count`` samples: a power of two, so plans stay few.

    Examples
    --------
    >>> batch_class(1), batch_class(7), batch_class(100)
    (1, 8, 128)
    """
    return 1 << (max(1, count) - 1).bit_length()


def few(samples: int) -> bool:
    """Return whether a batch is so small that channels in the lanes may be faster."""
    return samples <= default_lanes()


def pays(network: Network, samples: int, products: float) -> bool:
    """Return whether channels in the lanes, at ``products`` multiplications per sample, are the faster layout."""
    return samples * products <= default_lanes() * sum(map(cost_of_step, network.steps))


def cost_of_step(step: Step) -> float:
    """Return what a step costs with samples in the lanes, for each sample, in multiplications."""
    if isinstance(step.layer, InputLayer):
        return 0.0
    products = step.layer.multiply_adds(*step.input_shapes)
    return 2 * math.prod(step.shape) + products * (WINOGRAD_SHARE if _is_winograd(step) else 1.0)


def _is_winograd(step: Step) -> bool:
    layer = step.layer
    if not isinstance(layer, Convolution) or layer.groups > 1:
        return False
    window = layer.window(*step.input_shapes)
    plain = window.kernel == (3, 3) and set(window.stride) == set(window.dilation) == {1}
    return plain and min(layer.out_channels, step.input_shapes[0][0]) >= LEAST_CHANNELS
