"""Weights of another program put into a network: by their names, or by order and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.errors import ModelFileError
from striate.interop.pytorch.names import torch_names
from striate.network import Network, Slot

IGNORED = ("num_batches_tracked",)
SHOWN = 5  # names in one line


@dataclass(frozen=True, eq=False)
class Match:
    """Weights that were put into a network.

    Parameters
    ----------
    theta : float32[parameter_count]
    states : float32[state_count]
    pairs : dict of str
        The name in the file of every array of the network.
    missing : tuple of str
        Arrays of the network that the file does not have.
    unused : tuple of str
        Arrays of the file that the network does not have.
    """

    theta: np.ndarray
    states: np.ndarray
    pairs: dict[str, str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return which array went where, as text."""
        total = len(self.pairs) + len(self.missing)
        lines = [f"{len(self.pairs)} of {total} arrays found"]
        for what, names in (("missing in the file", self.missing), ("not used", self.unused)):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                lines.append(f"{what}: {', '.join(names[:SHOWN])}{more}")
        return lines


def load_weights(network: Network, tensors: Mapping[str, np.ndarray]) -> Match:
    """Return the arrays of ``tensors`` in the flat vectors of ``network``.

    They are matched by torchvision's names if these are there, whatever name all of them stand under, otherwise
    in their order by shape: each array of the network takes the next one of its kind that has its numbers.

    Raises
    ------
    ModelFileError
        If an array has another shape than its name says, or next to nothing fits.
    """
    known = {name: array for name, array in tensors.items() if name.rsplit(".", 1)[-1] not in IGNORED}
    slots = (*network.parameters, *network.states)
    pairs = _by_name(network, slots, known) or _by_shape(network, known)
    theta, states = np.zeros(network.parameter_count, np.float32), network.initial_states().astype(np.float32)
    for group, vector in ((network.parameters, theta), (network.states, states)):
        for slot in group:
            if slot.name in pairs:
                slot.view(vector)[...] = known[pairs[slot.name]].reshape(slot.spec.shape)
    used = set(pairs.values())
    missing = tuple(slot.name for slot in slots if slot.name not in pairs)
    if 2 * len(missing) > len(slots):
        raise ModelFileError(
            f"{network.name}: {len(missing)} of {len(slots)} arrays are not in the file, such as {missing[0]}; "
            "the weights belong to another network. Name that one."
        )
    return Match(theta, states, pairs, missing, tuple(name for name in known if name not in used))


def _by_name(network: Network, slots: tuple[Slot, ...], known: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the pairs that torchvision's names make; nothing if fewer than half are there."""
    pairs = max((_under(prefix, network, slots, known) for prefix in _prefixes(known)), key=len)
    if 2 * len(pairs) < len(slots):
        return {}
    for slot in slots:
        name = pairs.get(slot.name)
        if name is not None and not _fits(slot, known[name]):
            if slot.spec.size != known[name].size and slot.name.split(".")[0] in _ends(network):
                del pairs[slot.name]  # another number of classes: the head begins anew
                continue
            raise ModelFileError(
                f"{name}: {slot.name} of {network.name} has the shape {list(slot.spec.shape)}; "
                f"got {list(known[name].shape)}. Name the network that the weights belong to."
            )
    return pairs


def _prefixes(known: Mapping[str, np.ndarray]) -> list[str]:
    """Return what may stand before the names, as in ``backbone.conv1.weight``: nothing, or their first parts."""
    parts = [name.split(".") for name in known]
    begins = {".".join(part[:depth]) + "." for part in parts for depth in (1, 2) if len(part) > depth + 1}
    return ["", *sorted(begins)]


def _under(
    prefix: str, network: Network, slots: tuple[Slot, ...], known: Mapping[str, np.ndarray]
) -> dict[str, str]:
    names = torch_names(network)
    return {slot.name: prefix + names[slot.name] for slot in slots if prefix + names[slot.name] in known}


def _ends(network: Network) -> set[str]:
    """Return the name of the last step that learns."""
    return {next((step.name for step in reversed(network.steps) if step.parameters), "")}


def _fits(slot: Slot, array: np.ndarray) -> bool:
    """Return whether the shapes are the same but for axes of size 1."""
    return [n for n in slot.spec.shape if n != 1] == [n for n in array.shape if n != 1]


KINDS = {"running_var": "running_variance", "gamma": "weight", "beta": "bias"}


def _by_shape(network: Network, known: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return pairs in the order of both: a step takes the next module that has all its shapes."""
    modules: dict[str, dict[str, str]] = {}
    for name in known:
        module, _, array = name.rpartition(".")
        modules.setdefault(module, {})[KINDS.get(array, array)] = name
    waiting = list(modules.values())
    pairs: dict[str, str] = {}
    for step in network.steps:
        own = (*step.parameters, *step.states)
        if not own:
            continue
        for number, arrays in enumerate(waiting):
            if all(s.spec.name in arrays and _fits(s, known[arrays[s.spec.name]]) for s in own):
                pairs.update({slot.name: arrays[slot.spec.name] for slot in own})
                del waiting[number]
                break
    return pairs
