"""Which values lie in which buffers, so that a buffer is free when the last of its values has been read."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable

from striate.engine.channels.buffers import Channels


class Tenants:
    """The values in every buffer that is in use, each of which may lie in parts of several.

    Examples
    --------
    >>> from striate.engine.channels.buffers import ChannelArena
    >>> tenants, whole = Tenants(), ChannelArena(lanes=8).of_channels((16, 1, 1))
    >>> tenants.put("conv1", [whole])
    >>> tenants.put("slice1", [whole.part(8, 8)])
    >>> tenants.remove("conv1")
    >>> tenants.empty()
    []
    >>> tenants.remove("slice1")
    >>> tenants.empty() == [whole]
    True
    """

    def __init__(self) -> None:
        self._starts: list[int] = []  # of the buffers, in order
        self._buffers: dict[int, Channels] = {}
        self._names: dict[int, set[str]] = {}
        self._homes: dict[str, set[int]] = {}
        self._left: set[int] = set()

    def put(self, name: str, buffers: Iterable[Channels]) -> None:
        """Let a value lie in ``buffers``, or parts of them, and nowhere else."""
        homes = {self._start(buffer) for buffer in buffers}
        self._leave(name, self._homes.get(name, set()) - homes)
        for start in homes:
            self._names[start].add(name)
        self._homes[name] = homes

    def remove(self, name: str) -> None:
        """Let a value lie nowhere."""
        self._leave(name, self._homes.pop(name, set()))

    def empty(self) -> list[Channels]:
        """Return the buffers whose last value has left since this was asked, and forget them."""
        starts = sorted(start for start in self._left if not self._names[start])
        self._left.clear()
        for start in starts:
            self._starts.pop(bisect_right(self._starts, start) - 1)
            del self._names[start]
        return [self._buffers.pop(start) for start in starts]

    def _leave(self, name: str, starts: set[int]) -> None:
        for start in starts:
            self._names[start].discard(name)
        self._left |= starts

    def _start(self, buffer: Channels) -> int:
        """Return where the buffer begins that ``buffer`` is or lies in."""
        place = bisect_right(self._starts, buffer.offset) - 1
        if place >= 0:
            whole = self._buffers[self._starts[place]]
            if buffer.offset < whole.offset + whole.size:
                return whole.offset
        insort(self._starts, buffer.offset)
        self._buffers[buffer.offset], self._names[buffer.offset] = buffer, set()
        return buffer.offset
