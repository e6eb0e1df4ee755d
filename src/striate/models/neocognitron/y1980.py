"""The Neocognitron of 1980, which learns without a teacher, as a network."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import Flatten, Input
from striate.layers.arguments import integer, real
from striate.models.arguments import grid_shape
from striate.models.neocognitron.cells import c_layer_1980, s_layer
from striate.network import Network

SELECTIVITIES = (4.0, 1.5, 1.5)
ALPHA = 0.5
SIDE = 16


def neocognitron_1980(
    planes: int = 24,
    input_shape: int | Sequence[int] = (1, SIDE, SIDE),
    *,
    selectivities: Sequence[float] = SELECTIVITIES,
    alpha: float = ALPHA,
) -> Network:
    """Return the Neocognitron of 1980: 16x16 input, S-layers of 16, 8 and 2 cells a side, C-layers of 10, 6 and 1.

    `striate.training.neocognitron.train_1980` makes its parameters. The outputs are the `planes` C-cells of the
    last layer; which of them answers to which figure comes out of the learning.

    Parameters
    ----------
    planes : int
        S-planes, and so C-planes, of each layer.
    input_shape : (1, 16, 16)
    selectivities : (float, float, float)
        r of the three S-layers.
    alpha : float
        Where C-cells saturate: the input at which they give one half. Accounts of the paper differ; see the
        page on the Neocognitron for what it changes.

    References
    ----------
    Fukushima (1980), "Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition
    unaffected by shift in position", Biological Cybernetics 36, 193-202.

    Examples
    --------
    >>> [neocognitron_1980().step(name).shape[1] for name in ("s1", "c1", "s2", "c2", "s3", "c3")]
    [16, 10, 8, 6, 2, 1]
    """
    where = "neocognitron_1980"
    shape = grid_shape(where, input_shape, least=SIDE)
    count = integer(planes, f"{where}: planes")
    r = [real(value, f"{where}: selectivities", above=0) for value in selectivities]
    half = real(alpha, f"{where}: alpha", above=0)
    wide = ((4, 3), (4, 3))  # C-cells stand two S-cells apart and reach beyond the edge
    node = s_layer(Input(shape), count, 5, r[0], "s1", padding=2)
    node = c_layer_1980(node, 5, "c1", stride=2, padding=wide, half=half)
    node = s_layer(node, count, 5, r[1], "s2", padding=1)
    node = c_layer_1980(node, 5, "c2", stride=2, padding=wide, half=half)
    node = s_layer(node, count, 5, r[2], "s3")
    node = c_layer_1980(node, 2, "c3", half=half)
    return Network(Flatten()(node), where)
