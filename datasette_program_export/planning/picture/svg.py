"""Draws boxes and arrows as an SVG element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .layout import GAP, Line, Node, laid_out
from .text import attribute, escaped, fitted, width

_SIZE, _SMALL = 14, 12
_WIDEST = 200  # the width of the widest box
_LABEL = 230  # the width of the widest label of a line
_PORT = 20  # between two lines that end at the same box
_LOOP = 24  # above a box that refers to itself
_EDGE = 16  # around the picture
_SMALLEST = 0.72  # how far the picture shrinks to fit a page; narrower pages scroll
_INK, _GREY, _LINE, _PANEL = "#1b2733", "#4a5560", "#5b6570", "#fbfcfd"
# fill, border, width of the border, dashes
_LOOKS = {
    "subject": ("#dbe9fb", "#1a4f8b", 3, ""),
    "in": ("#ffffff", "#5b6570", 1.5, ""),
    "needed": ("#f0ecdf", "#6b5d2e", 1.5, ""),
    "none": ("#f4f6f8", "#8a939c", 1, ""),
    "out": ("#fafbfc", "#8a4b2a", 1.5, "5 4"),
    "rest": ("#f4f6f8", "#8a939c", 1, "2 3"),
}


@dataclass(frozen=True)
class Box:
    """A table: its name, a line about it (``told``), its style (``kind``), and its full name (``whole``)."""

    name: str
    told: str
    kind: str
    whole: str = ""

    @property
    def dashed(self) -> bool:
        """Whether its border is dashed, because the table is not in the export."""
        return bool(_LOOKS[self.kind][3])


@dataclass(frozen=True)
class Arrow:
    """A reference from the box ``start`` (child) to the box ``end`` (parent).

    ``told`` describes it in full. ``label`` may be shortened; ``note``, which follows it, never is."""

    start: str
    end: str
    label: str
    dashed: bool
    told: str
    note: str = ""

    @property
    def shown(self) -> str:
        """The label, shortened to fit, with its note."""
        return fitted(self.label, _SMALL, _LABEL - width(self.note, _SMALL)) + self.note

    @property
    def wide(self) -> int:
        """The width of the shown label."""
        return width(self.shown, _SMALL)


def drawing(boxes: dict[str, Box], arrows: Sequence[Arrow], rest: Box | None, title: str, told: str) -> str:
    """Return the SVG element. ``boxes`` must be in an order in which most arrows point back."""
    return _Drawing(boxes, arrows, rest).svg(title, told)


class _Drawing:
    def __init__(self, boxes: dict[str, Box], arrows: Sequence[Arrow], rest: Box | None) -> None:
        self.boxes = boxes
        self.loops: dict[str, list[Arrow]] = {name: [] for name in boxes}
        self.lines: list[tuple[Arrow, str, str]] = []  # each with its left and its right box
        place = {name: i for i, name in enumerate(boxes)}
        for arrow in arrows:
            if arrow.start == arrow.end:
                self.loops[arrow.start].append(arrow)
            else:
                left, right = sorted((arrow.start, arrow.end), key=place.__getitem__)
                self.lines.append((arrow, left, right))
        used = {name for _, left, right in self.lines for name in (left, right)}
        self.alone = [name for name in boxes if name not in used]
        self.rest = rest
        self.wide = self._box_width()
        self.parts: list[str] = []
        self.labels: list[str] = []  # drawn above all lines
        self.right = self.bottom = 0.0

    def svg(self, title: str, told: str) -> str:
        self._connected()
        self._unconnected()
        wide, high = round(self.right + _EDGE), round(self.bottom + _EDGE)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={attribute(title)} '
            f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
            f'style="max-width:max(100%,{round(wide * _SMALLEST)}px);height:auto" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="{_SIZE}">'
            f"<title>{escaped(title)}</title><desc>{escaped(told)}</desc>"
            f'<rect width="{wide}" height="{high}" rx="6" fill="{_PANEL}" stroke="#c9cfd6"/>'
            f"{''.join(self.parts)}{''.join(self.labels)}</svg>"
        )

    def _box_width(self) -> int:
        boxes = [*self.boxes.values(), *([self.rest] if self.rest else [])]
        texts = [(b.name, _SIZE) for b in boxes] + [(b.told, _SMALL) for b in boxes]
        # bold letters are slightly wider
        return min(_WIDEST, max((round(width(t[:60], size) * 1.06) for t, size in texts), default=0)) + 20

    def _connected(self) -> None:
        names = [name for name in self.boxes if name not in self.alone]
        if not names:
            return
        ends = {name: [0, 0] for name in names}  # labelled lines at its left side, at its right side
        for arrow, _, right in self.lines:
            ends[arrow.start][arrow.start != right] += 1
        heights = {n: max(48, _PORT * max(ends[n]) + 12) + (_LOOP if self.loops[n] else 0) for n in names}
        nodes, lines, high = laid_out(heights, [(left, right) for _, left, right in self.lines])
        columns = self._columns(nodes)
        self._draw_lines(nodes, lines, columns)
        for name in names:
            node = nodes[name]
            self._box(self.boxes[name], columns[node.layer], node.y + _EDGE, node.height, self.loops[name])
        self.bottom = high - GAP + _EDGE

    def _columns(self, nodes: dict[str, Node]) -> list[float]:
        """Return the x position of each layer: past the previous layer and the labels of the lines between them."""
        layers = max(n.layer for n in nodes.values()) + 1
        room = [40] * layers
        for arrow, _, right in self.lines:
            label = arrow.wide + 44
            beside = nodes[arrow.start].layer - (arrow.start == right)  # the gap that holds the label
            room[beside] = max(room[beside], label)
        found = [float(_EDGE)]
        for gap in room[:-1]:
            found.append(found[-1] + self.wide + gap)
        return found

    def _draw_lines(self, nodes: dict[str, Node], lines: list[Line], columns: list[float]) -> None:
        drawn = list(zip(self.lines, lines))

        def far(name: str) -> float:
            return nodes[name].y + nodes[name].height / 2

        # sort the lines at each box by where they come from, so that they do not cross
        order = {
            name: [
                sorted((d for d in drawn if d[0][0].start == name and d[0][2] == name), key=lambda d: _from(d, nodes)),
                sorted((d for d in drawn if d[0][0].start == name and d[0][1] == name), key=lambda d: far(d[0][2])),
            ]
            for name in nodes
        }
        for (arrow, _, right), line in drawn:
            side = 0 if arrow.start == right else 1
            same = order[arrow.start][side]
            number = next(i for i, d in enumerate(same) if d[1] is line)
            child, parent = nodes[arrow.start], nodes[arrow.end]
            top = child.y + (_LOOP if self.loops[arrow.start] else 0)
            high = child.height - (_LOOP if self.loops[arrow.start] else 0)
            y1 = _EDGE + top + high / 2 + (number - (len(same) - 1) / 2) * _PORT
            y2 = _EDGE + parent.y + (parent.height + (_LOOP if self.loops[arrow.end] else 0)) / 2
            if side == 1:  # the line closes a cycle: attach it at the bottom of the boxes, clear of the others
                y1, y2 = _EDGE + child.y + child.height - 6 - number * 12, _EDGE + parent.y + parent.height - 5
            x1 = columns[child.layer] + (0 if side == 0 else self.wide)
            x2 = columns[parent.layer] + (self.wide if side == 0 else 0)
            lanes = [(columns[n.layer], _EDGE + n.y + n.height / 2) for n in line.lanes]
            self._line(arrow, (x1, y1), (x2, y2), lanes[::-1] if side == 0 else lanes)

    def _line(
        self, arrow: Arrow, start: tuple[float, float], end: tuple[float, float], lanes: list[tuple[float, float]]
    ) -> None:
        """Draw an arrow: from the child straight along its label, then in curves through the lanes to the parent."""
        (x, y), way = start, -1 if start[0] > end[0] else 1
        flat = x + way * (arrow.wide + 12)
        path = f"M{x:.0f} {y:.1f}H{flat:.0f}"
        x = flat
        for lane, lane_y in lanes:
            near, past = (lane + self.wide, lane) if way < 0 else (lane, lane + self.wide)
            path += _curve(x, y, near, lane_y) + f"H{past:.0f}"
            x, y = past, lane_y
        path += _curve(x, y, end[0] - way * 8, end[1])
        dashes = ' stroke-dasharray="6 4"' if arrow.dashed else ""
        tip = f"M{end[0]:.0f} {end[1]:.1f}l{-way * 9} -5v10z"
        anchor = "end" if way < 0 else "start"
        self.parts.append(
            f"<g><title>{escaped(arrow.told)}</title>"
            f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.5"{dashes}/>'
            f'<path d="{tip}" fill="{_LINE}"/></g>'
        )
        self.labels.append(
            f'<text x="{start[0] + way * 6:.0f}" y="{start[1] - 4:.1f}" font-size="{_SMALL}" fill="{_GREY}" '
            f'stroke="{_PANEL}" stroke-width="3" paint-order="stroke" '
            f'text-anchor="{anchor}" unicode-bidi="isolate">{escaped(arrow.shown)}</text>'
        )

    def _box(self, box: Box, x: float, y: float, high: float, loops: Sequence[Arrow] = ()) -> None:
        if loops:
            self._loop(loops, x, y + _LOOP)
            y, high = y + _LOOP, high - _LOOP
        fill, border, thick, dashes = _LOOKS[box.kind]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        middle = y + high / 2
        room = self.wide - 20
        name, told = fitted(box.name, _SIZE, round(room / 1.06)), fitted(box.told, _SMALL, room)
        self.parts.append(
            f"<g><title>{escaped(box.whole or box.name)}: {escaped(box.told)}</title>"
            f'<rect x="{x:.0f}" y="{y:.1f}" width="{self.wide}" height="{high:.1f}" rx="5" fill="{fill}" '
            f'stroke="{border}" stroke-width="{thick}"{dashed}/>'
            f'<text x="{x + 10:.0f}" y="{middle - 3:.1f}" font-weight="bold" fill="{_INK}" unicode-bidi="isolate">'
            f"{escaped(name)}</text>"
            f'<text x="{x + 10:.0f}" y="{middle + 15:.1f}" font-size="{_SMALL}" fill="{_GREY}">'
            f"{escaped(told)}</text></g>"
        )
        self.right, self.bottom = max(self.right, x + self.wide), max(self.bottom, y + high)

    def _loop(self, loops: Sequence[Arrow], x: float, y: float) -> None:
        """Draw a table's references to itself: one loop above its box for all of them."""
        right = x + self.wide - 14
        dashes = ' stroke-dasharray="6 4"' if all(a.dashed for a in loops) else ""
        label = fitted(", ".join(a.label for a in loops), _SMALL, self.wide - 60)
        self.parts.append(
            f"<g><title>{escaped('; '.join(a.told for a in loops))}</title>"
            f'<path d="M{right - 30:.0f} {y:.1f}v-8a8 8 0 0 1 8 -8h14a8 8 0 0 1 8 8v3" fill="none" '
            f'stroke="{_LINE}" stroke-width="1.5"{dashes}/><path d="M{right:.0f} {y:.1f}l-5 -8h10z" fill="{_LINE}"/>'
            f'<text x="{right - 36:.0f}" y="{y - 6:.1f}" font-size="{_SMALL}" fill="{_GREY}" text-anchor="end" '
            f'unicode-bidi="isolate">{escaped(label)}</text></g>'
        )

    def _unconnected(self) -> None:
        """Draw the tables without lines, and the box for the folded ones, in rows at the bottom."""
        boxes = [self.boxes[name] for name in self.alone]
        loops = [self.loops[name] for name in self.alone]
        if self.rest is not None:
            boxes, loops = [*boxes, self.rest], [*loops, []]
        in_a_row = max(1, int((max(self.right, 1000) - _EDGE + GAP) // (self.wide + GAP)))
        top = self.bottom + (2 * GAP if self.bottom else _EDGE)
        for start in range(0, len(boxes), in_a_row):
            row = list(zip(boxes, loops))[start : start + in_a_row]
            extra = _LOOP if any(own for _, own in row) else 0
            for i, (box, own) in enumerate(row):
                over = extra - (_LOOP if own else 0)
                self._box(box, _EDGE + i * (self.wide + GAP), top + over, 48 + (_LOOP if own else 0), own)
            top += 48 + extra + GAP


def _from(drawn: tuple[tuple[Arrow, str, str], Line], nodes: dict[str, Node]) -> float:
    """Return the height at which a line arrives at its right end."""
    (_, left, _), line = drawn
    node = line.lanes[-1] if line.lanes else nodes[left]
    return node.y + node.height / 2


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"C{middle:.0f} {y:.1f} {middle:.0f} {to_y:.1f} {to_x:.0f} {to_y:.1f}"
