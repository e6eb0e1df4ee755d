"""The Neocognitron of 2003, for handwritten digits, as a network."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import UsageError
from striate.layers import Concatenate, GlobalMaxPool, Input, Reshape, Scale, Slice, Softmax
from striate.layers.arguments import integer, real
from striate.layers.base import Node
from striate.models.arguments import class_count, grid_shape
from striate.models.neocognitron.cells import c_layer, contrast_layer, s_layer
from striate.network import Network

ORIENTATIONS = 16
CONTRAST_KERNEL = 7
EDGE_KERNEL = 5
KERNELS = (5, 3)
BLUR_KERNEL = 5
THRESHOLDS = (0.55, 0.6, 0.65, 0.3)
GAIN = 10.0  # of the softmax, which makes probabilities of similarities


def neocognitron_2003(
    classes: int = 10,
    input_shape: int | Sequence[int] = (1, 28, 28),
    *,
    planes: Sequence[int] = (100, 350),
    top: Sequence[int] | int = 10,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Network:
    """Return the Neocognitron of 2003: contrast, edges, two stages that learn without a teacher, one with.

    `striate.training.neocognitron.train_2003` makes its parameters; the numbers of planes come out of that.

    Parameters
    ----------
    classes : int
    input_shape : (1, rows, columns)
        Every side at least 16. The paper has 65 x 65 cells; the sizes of windows here are for 28 x 28.
    planes : (int, int)
        S-planes of the second and third stage.
    top : int or sequence of int
        S-planes of the fourth stage for each class.
    thresholds : sequence of float
        theta of the four S-layers, from 0 to 1.

    References
    ----------
    Fukushima (2003), "Neocognitron for handwritten digit recognition", Neurocomputing 51, 161-180.

    Examples
    --------
    >>> neocognitron_2003().step("c1").shape
    (16, 15, 15)
    """
    where = "neocognitron_2003"
    shape = grid_shape(where, input_shape, least=16)
    count = class_count(where, classes)
    tops = tuple(top) if isinstance(top, Sequence) else (top,) * count
    if len(tops) != count:
        raise UsageError(f"{where}: top needs a number for each of the {count} classes; got {len(tops)}.")
    first, second = (integer(number, f"{where}: planes") for number in planes)
    r = [_selectivity(real(theta, f"{where}: thresholds", above=0)) for theta in thresholds]
    blur = {"stride": 2, "padding": BLUR_KERNEL // 2}
    node = contrast_layer(Input(shape), CONTRAST_KERNEL, "g")
    node = s_layer(node, ORIENTATIONS, EDGE_KERNEL, r[0], "s1")
    node = c_layer(node, BLUR_KERNEL, "c1", **blur)
    node = s_layer(node, first, KERNELS[0], r[1], "s2", padding=KERNELS[0] // 2)
    node = c_layer(node, BLUR_KERNEL, "c2", **blur)
    node = s_layer(node, second, KERNELS[1], r[2], "s3", padding=KERNELS[1] // 2)
    node = c_layer(node, BLUR_KERNEL, "c3", **blur)
    node = s_layer(node, sum(tops), min(node.shape[1:]), r[3], "s4")
    return Network(_taught(node, tops), where)


def _selectivity(theta: float) -> float:
    if theta >= 1:
        raise UsageError(f"neocognitron_2003: thresholds must be below 1; got {theta}. The paper uses 0.3 to 0.58.")
    return theta / (1 - theta)


def _taught(node: Node, tops: tuple[int, ...]) -> Node:
    """Return the strongest cell of each class, as probabilities."""
    strongest, start = [], 0
    for label, count in enumerate(tops):
        cells = Slice((start, 0, 0), (count, *node.shape[1:]), name=f"s4/class{label}")(node)
        row = Reshape((1, cells.shape[0] * cells.shape[1] * cells.shape[2]), name=f"s4/row{label}")(cells)
        strongest.append(GlobalMaxPool(name=f"c4/{label}")(row))
        start += count
    return Softmax(name="classes")(Scale(GAIN, name="gain")(Concatenate(name="c4")(*strongest)))
