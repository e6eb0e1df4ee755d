"""Facts about a network, worked out before any of it is placed in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from striate.engine import graph
from striate.engine.layout import Margin
from striate.engine.memory import Sizes
from striate.losses import Loss
from striate.network import Network


@dataclass(frozen=True)
class Facts:
    """A network, which of its values are computed, and how its layers depend on each other.

    Parameters
    ----------
    network : Network
    sizes : Sizes
        How a batch is cut.
    dtype : dtype
        Of the samples: uint8 or float32.
    outputs : tuple of str
        The values that the losses, or the user, read: the output first, then auxiliary or observed ones.
    training : bool
        Whether gradients are computed, so that values are kept for them.
    loss : Loss or None
        None for inference.
    optimizer : str or None
        A kernel of ``striate.kernels.update``; None takes no step.
    winograd : bool
        Let 3x3 convolutions use Winograd's algorithm.
    fused : dict
        ReLU -> the layer before it, which clips its own result.
    masked : set
        Fused ReLUs whose only reader is a maximum pooling, which drops the gradient of clipped values itself.
    margins : dict
        The zeros that the readers of each value want around it.
    needed : set
        Values whose gradients lead to a parameter that learns.
    frozen : frozenset
        Layers that do not learn: their parameters get no gradient.
    most_sums : int or None
        Sums that the target's registers hold at once; see ``lowering.tiles``.
    """

    network: Network
    sizes: Sizes
    dtype: np.dtype
    outputs: tuple[str, ...]
    training: bool
    loss: Loss | None
    optimizer: str | None
    winograd: bool
    fused: dict[str, str]
    masked: set[str]
    margins: dict[str, Margin]
    needed: set[str]
    frozen: frozenset[str] = frozenset()
    most_sums: int | None = None

    @cached_property
    def clipped(self) -> frozenset[str]:
        """The layers that clip their own results: those that a ReLU is fused with."""
        return frozenset(self.fused.values())

    @property
    def target_count(self) -> int:
        """Numbers in the target of a sample."""
        return 0 if self.loss is None else self.loss.target_count(self.network.output_shape)


def analyse(
    network: Network,
    sizes: Sizes,
    dtype: np.dtype,
    *,
    loss: Loss | None = None,
    optimizer: str | None = None,
    frozen: Collection[str] = (),
    winograd: bool = True,
    observed: Sequence[str] = (),
    most_sums: int | None = None,
) -> Facts:
    """Return the facts of a network for inference, or for training with a loss.

    Parameters
    ----------
    frozen : collection of str
        Layers that do not learn.
    observed : sequence of str
        Values that the user reads too, without a loss: nothing is fused with them or written over them.
    most_sums : int, optional
        Sums that the registers hold at once, where the lanes do not tell.
    """
    outputs = [*_outputs(network, loss), *observed]
    fused, masked = graph.fusions(network, outputs)
    return Facts(
        network,
        sizes,
        np.dtype(dtype),
        tuple(outputs),
        loss is not None,
        loss,
        optimizer,
        winograd,
        fused,
        masked,
        graph.margins(network, fused, loss is not None),
        graph.needed_gradients(network, frozen=frozen) if loss else set(),
        frozenset(frozen),
        most_sums,
    )


def _outputs(network: Network, loss: Loss | None) -> Sequence[str]:
    last = network.steps[-1].name
    return [last] if loss is None else [loss.reads(network, name) for name in (last, *network.auxiliary)]
