"""Lays out the boxes of a picture in layers, parents left of children.

The steps of K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System Structures
(1981): cycles are broken (by the parents-first order), a node's layer is the length of its longest path, long
lines get a lane in each layer that they cross, and nodes within a layer are sorted by the mean position of their
neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_SWEEPS = 6
GAP = 16  # between two boxes of a layer
LANE = 12  # the height of a lane


@dataclass
class Node:
    """A box, or (without a name) a lane for a long line. ``height`` is given; the layout sets the other fields."""

    height: int
    name: str | None = None
    layer: int = 0
    y: float = 0.0
    left: list[Node] = field(default_factory=list, repr=False)
    right: list[Node] = field(default_factory=list, repr=False)


@dataclass
class Line:
    """A line from a box to a box in a layer further right, through the lanes between them."""

    start: str
    end: str
    lanes: list[Node] = field(default_factory=list)


def laid_out(heights: dict[str, int], pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, Node], list[Line], int]:
    """Return the boxes with their positions, a line for each pair (left, right), and the total height.

    ``heights`` must be in an order in which the left box of each pair comes first."""
    nodes = {name: Node(height, name) for name, height in heights.items()}
    for name in heights:
        before = [nodes[left].layer for left, right in pairs if right == name]
        nodes[name].layer = max(before) + 1 if before else 0
    for name in reversed(list(heights)):  # move a box without left neighbours next to its right neighbours
        after = [nodes[right].layer for left, right in pairs if left == name]
        if after and not any(right == name for _, right in pairs):
            nodes[name].layer = min(after) - 1
    layers: list[list[Node]] = [[] for _ in range(max((n.layer for n in nodes.values()), default=0) + 1)]
    for node in nodes.values():
        layers[node.layer].append(node)
    lines = [_line(nodes, layers, start, end) for start, end in pairs]
    _order(layers)
    return nodes, lines, _place(layers)


def _line(nodes: dict[str, Node], layers: list[list[Node]], start: str, end: str) -> Line:
    line = Line(start, end)
    last = nodes[start]
    for number in range(nodes[start].layer + 1, nodes[end].layer):
        lane = Node(LANE, layer=number)
        layers[number].append(lane)
        _join(last, lane)
        line.lanes.append(lane)
        last = lane
    _join(last, nodes[end])
    return line


def _join(left: Node, right: Node) -> None:
    left.right.append(right)
    right.left.append(left)


def _order(layers: list[list[Node]]) -> None:
    """Sort each layer by the mean position of the neighbours, sweeping from left to right and back."""
    for sweep in range(_SWEEPS):
        rightwards = sweep % 2 == 0
        for layer in layers[1:] if rightwards else layers[-2::-1]:
            _sort(layer, (lambda n: n.left) if rightwards else (lambda n: n.right), layers)


def _sort(layer: list[Node], beside: Callable[[Node], list[Node]], layers: list[list[Node]]) -> None:
    place = {id(n): i for nodes in layers for i, n in enumerate(nodes)}

    def mean(node: Node) -> float:
        near = beside(node)
        return sum(place[id(n)] for n in near) / len(near) if near else float(place[id(node)])

    layer.sort(key=mean)


def _place(layers: list[list[Node]]) -> int:
    """Give each node its ``y``, one below the other, each layer centred; return the tallest layer's height."""
    tallest = max(sum(n.height + GAP for n in layer) for layer in layers)
    for layer in layers:
        y = (tallest - sum(n.height + GAP for n in layer)) / 2
        for node in layer:
            node.y = y
            y += node.height + GAP
    return tallest
