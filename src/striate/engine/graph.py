"""Facts about the graph that a plan needs before it can place anything."""

from __future__ import annotations

from collections.abc import Collection

from striate.engine.layout import NO_MARGIN, Margin
from striate.engine.lowering import rule
from striate.layers.activation import ReLU
from striate.layers.pooling import MaxPooling
from striate.network import Network, Step


def readers(network: Network) -> dict[str, list[Step]]:
    """Return the steps that read each value."""
    found: dict[str, list[Step]] = {step.name: [] for step in network.steps}
    for step in network.steps:
        for source in step.inputs:
            found[source].append(step)
    return found


def ancestors(network: Network, outputs: Collection[str]) -> set[str]:
    """Return ``outputs`` and all values that they depend on."""
    found = set(outputs)
    for step in reversed(network.steps):
        if step.name in found:
            found.update(step.inputs)
    return found


def fusions(network: Network, outputs: Collection[str]) -> tuple[dict[str, str], set[str]]:
    """Find ReLUs that cost nothing.

    Parameters
    ----------
    outputs : collection of str
        Values that must stay as they are: a loss, or the user, reads them.

    Returns
    -------
    fused : dict
        ReLU -> the layer before it, which clips its own result and has no other reader.
    masked : set
        Fused ReLUs whose only reader is a maximum pooling; it drops the gradient of clipped values itself.
    """
    readers_of = readers(network)
    fused, masked = {}, set()
    for step in network.steps:
        if not isinstance(step.layer, ReLU):
            continue
        source = network.step(step.inputs[0])
        before = rule(source.layer)
        if (
            before
            and before.floor
            and before.floor(source)
            and len(readers_of[source.name]) == 1
            and source.name not in outputs
        ):
            fused[step.name] = source.name
            after = readers_of[step.name]
            if len(after) == 1 and isinstance(after[0].layer, MaxPooling) and step.name not in outputs:
                masked.add(step.name)
    return fused, masked


def margins(network: Network, fused: dict[str, str], training: bool) -> dict[str, Margin]:
    """Return the margin that the readers of each value want around it."""
    wanted: dict[str, Margin] = {}
    for step in reversed(network.steps):
        found = rule(step.layer)
        if step.name in fused or (found and found.transparent and found.transparent(step, training)):
            margin = wanted.get(step.name, NO_MARGIN)
        else:
            margin = found.margin(step) if found and found.margin else NO_MARGIN
        for source in step.inputs:
            wanted[source] = widest(wanted.get(source, NO_MARGIN), margin)
    return wanted


def needed_gradients(network: Network, inputs: bool = False, frozen: Collection[str] = ()) -> set[str]:
    """Return the values whose gradients lead to a parameter that learns (or to the input, if asked for).

    Parameters
    ----------
    frozen : collection of str
        Layers that do not learn.
    """
    needed: set[str] = set()
    for step in network.steps:
        own = (bool(step.parameters) and step.name not in frozen) or (inputs and not step.inputs)
        if own or any(source in needed for source in step.inputs):
            needed.add(step.name)
    return needed


def widest(a: Margin, b: Margin) -> Margin:
    """Return the margin that is enough for both."""
    return tuple((max(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))  # type: ignore[return-value]
