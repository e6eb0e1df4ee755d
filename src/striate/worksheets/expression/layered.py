"""Places the boxes of a directed acyclic graph in columns, so that boxes and lines keep clear of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Edge = tuple[str, str]
Slot = str | tuple[str, str, int]  # a box, or the place where an edge crosses a column
LANE = 12.0  # height of the place a passing edge needs


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; (x, y) is its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Boxes, the corner points of every edge from box to box, and the size of the whole in pixels."""

    boxes: dict[str, Box]
    paths: dict[Edge, list[tuple[float, float]]]
    width: float
    height: float


def layered_layout(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[Edge],
    gap: tuple[float, float] = (56.0, 18.0),
    margin: float = 16.0,
) -> Layout:
    """Return the positions of the boxes of a graph, in columns from left to right.

    An edge that passes a column between its ends gets a lane of its own there, so no line crosses a box.

    Parameters
    ----------
    sizes : mapping of str to (float, float)
        Width and height of every box in pixels, in topological order.
    edges : sequence of (str, str)
        From box, to box; each pair once.
    gap : (float, float)
        Space between columns, and between the boxes of a column, in pixels.

    References
    ----------
    Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures".
    """
    columns, links = _columns(sizes, edges)
    _order(columns, links)
    heights = {slot: sizes[slot][1] if isinstance(slot, str) else LANE for column in columns for slot in column}
    middle = _heights(columns, links, heights, gap[1])
    top = min(middle[slot] - heights[slot] / 2 for slot in heights)
    boxes: dict[str, Box] = {}
    spans, x = [], margin
    for column in columns:
        width = max((sizes[slot][0] for slot in column if isinstance(slot, str)), default=0.0)
        for slot in column:
            if isinstance(slot, str):
                own, height = sizes[slot]
                boxes[slot] = Box(x + (width - own) / 2, middle[slot] - height / 2 - top + margin, own, height)
        spans.append((x, x + width))
        x += width + gap[0]
    offset = margin - top
    paths = {edge: _path(edge, columns, spans, boxes, middle, offset) for edge in edges}
    bottom = max(middle[slot] + heights[slot] / 2 for slot in heights)
    return Layout(boxes, paths, x - gap[0] + margin, bottom - top + 2 * margin)


def _columns(
    sizes: Mapping[str, tuple[float, float]], edges: Sequence[Edge]
) -> tuple[list[list[Slot]], list[tuple[Slot, Slot]]]:
    """Return the slots of every column, and the links between neighbouring columns."""
    sources: dict[str, list[str]] = {name: [] for name in sizes}
    users: dict[str, list[str]] = {name: [] for name in sizes}
    for source, user in edges:
        sources[user].append(source)
        users[source].append(user)
    rank = dict.fromkeys(sizes, 0)
    for name in sizes:
        rank[name] = max((rank[source] + 1 for source in sources[name]), default=0)
    for name in sizes:  # what has no source stands just before its first user
        if not sources[name] and users[name]:
            rank[name] = min(rank[user] for user in users[name]) - 1
    columns: list[list[Slot]] = [[] for _ in range(max(rank.values()) + 1)]
    for name in sizes:
        columns[rank[name]].append(name)
    links: list[tuple[Slot, Slot]] = []
    for source, user in edges:
        before: Slot = source
        for column in range(rank[source] + 1, rank[user]):
            lane = (source, user, column)
            columns[column].append(lane)
            links.append((before, lane))
            before = lane
        links.append((before, user))
    return columns, links


def _neighbours(links: list[tuple[Slot, Slot]]) -> tuple[dict[Slot, list[Slot]], dict[Slot, list[Slot]]]:
    left: dict[Slot, list[Slot]] = {}
    right: dict[Slot, list[Slot]] = {}
    for a, b in links:
        left.setdefault(b, []).append(a)
        right.setdefault(a, []).append(b)
    return left, right


def _order(columns: list[list[Slot]], links: list[tuple[Slot, Slot]], sweeps: int = 12) -> None:
    """Sort every column by the mean place of its neighbours; keep the order with the fewest crossings."""
    left, right = _neighbours(links)
    best, fewest = [list(column) for column in columns], _crossings(columns, links)
    for sweep in range(sweeps):
        near = left if sweep % 2 == 0 else right
        for column in columns if sweep % 2 == 0 else reversed(columns):
            place = {slot: i for other in columns for i, slot in enumerate(other)}
            own = {slot: i for i, slot in enumerate(column)}
            column.sort(key=lambda slot: _mean([place[n] for n in near.get(slot, [])], own[slot]))
        crossings = _crossings(columns, links)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    for column, order in zip(columns, best, strict=True):
        column[:] = order


def _crossings(columns: list[list[Slot]], links: list[tuple[Slot, Slot]]) -> int:
    place = {slot: (c, i) for c, column in enumerate(columns) for i, slot in enumerate(column)}
    count = 0
    for k, (a, b) in enumerate(links):
        for c, d in links[:k]:
            if place[a][0] == place[c][0]:
                count += (place[a][1] - place[c][1]) * (place[b][1] - place[d][1]) < 0
    return count


def _heights(
    columns: list[list[Slot]],
    links: list[tuple[Slot, Slot]],
    heights: Mapping[Slot, float],
    gap: float,
    sweeps: int = 16,
) -> dict[Slot, float]:
    """Return the middle of every slot: near its neighbours' mean, in order, without overlap."""
    left, right = _neighbours(links)
    middle: dict[Slot, float] = {}
    for column in columns:
        _separate(column, dict.fromkeys(column, 0.0), heights, gap, middle)
    for sweep in range(sweeps):
        near = left if sweep % 2 == 0 else right
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wanted = {slot: _mean([middle[n] for n in near.get(slot, [])], middle[slot]) for slot in column}
            _separate(column, wanted, heights, gap, middle)
    return middle


def _separate(
    column: list[Slot],
    wanted: Mapping[Slot, float],
    heights: Mapping[Slot, float],
    gap: float,
    middle: dict[Slot, float],
) -> None:
    """Put the slots as near as possible to where they are wanted: least squares with an order to keep.

    Slots that collide move together as one block to the mean of what they want (pool adjacent violators).
    """
    blocks: list[tuple[float, int]] = []  # mean wanted start of the block, number of slots
    offsets, at = [], 0.0
    for before, slot in zip([None, *column[:-1]], column, strict=True):
        at += 0.0 if before is None else (heights[before] + heights[slot]) / 2 + gap
        offsets.append(at)
    for slot, offset in zip(column, offsets, strict=True):
        blocks.append((wanted[slot] - offset, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    starts = [start for start, count in blocks for _ in range(count)]
    for slot, start, offset in zip(column, starts, offsets, strict=True):
        middle[slot] = start + offset


def _path(
    edge: Edge,
    columns: list[list[Slot]],
    spans: list[tuple[float, float]],
    boxes: Mapping[str, Box],
    middle: Mapping[Slot, float],
    offset: float,
) -> list[tuple[float, float]]:
    """Return the corner points of an edge; between columns it is to be drawn as a curve."""
    source, user = boxes[edge[0]], boxes[edge[1]]
    start, end = middle[edge[0]] + offset, middle[edge[1]] + offset
    first = next(i for i, column in enumerate(columns) if edge[0] in column)
    last = next(i for i, column in enumerate(columns) if edge[1] in column)
    points = [(source.x + source.width, start), (spans[first][1], start)]
    for column in range(first + 1, last):
        y = middle[(*edge, column)] + offset
        points += [(spans[column][0], y), (spans[column][1], y)]
    return [*points, (spans[last][0], end), (user.x, end)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
