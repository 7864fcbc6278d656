"""Pictures of where the time of two exports goes: a table, and one client.

make bench                                  writes docs/flames_table.svg and docs/flames_client.svg
python benchmarks/flames.py --rows 100000 --write docs/performance.md
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from databases import TABLE, make_database
from serving import options, publish, ways

from datasette_program_export.demo import ANNA

WIDTH, LINE, SMALLEST = 1200, 18, 0.004  # pixels, pixels, a share of all samples
SHADES = ("#f4a261", "#e9c46a", "#f6bd60", "#ee964b")


@dataclass
class Node:
    """A function in its stack: samples in it and in what it calls."""

    samples: int = 0
    inner: dict[str, Node] = field(default_factory=dict)


def tree_of(stacks: str) -> Node:
    """The stacks of ``sampled.py`` as a tree."""
    root = Node()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        node = root
        node.samples += int(count)
        for name in stack.split(";"):
            node = node.inner.setdefault(name, Node())
            node.samples += int(count)
    return root


def boxes(name: str, node: Node, all_: int, left: int, depth: int) -> Iterator[tuple[int, str]]:
    """The boxes of a node and of what it calls, below it, with their depths."""
    if node.samples < SMALLEST * all_:
        return
    x, width, y = WIDTH * left / all_, WIDTH * node.samples / all_, depth * LINE
    shown = escape(name[: int(width / 6.5)]) if width > 30 else ""
    yield (
        depth,
        f'<g><title>{escape(name)}: {node.samples / all_:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{LINE - 1}" fill="{SHADES[depth % 4]}"/><text x="{x + 2:.1f}" y="{y + 13}">{shown}</text></g>',
    )
    for inner_name, inner in sorted(node.inner.items(), key=lambda item: -item[1].samples):
        yield from boxes(inner_name, inner, all_, left, depth + 1)
        left += inner.samples


def picture(title: str, root: Node) -> str:
    """The tree as an SVG, the outermost function above."""
    found = list(boxes(title, root, max(1, root.samples), 0, 0))
    height = (max((depth for depth, _ in found), default=0) + 1) * LINE
    style = "<style>text{font:11px monospace}rect{stroke:#fff;stroke-width:.5}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return f"{head}<title>{escape(title)}</title>{style}\n" + "\n".join(box for _, box in found) + "\n</svg>\n"


def main() -> None:
    asked = options(__doc__, rows=1_000_000).parse_args()
    way, python = list(ways(asked.line).items())[-1]
    lines = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        database = make_database(folder, asked.rows)
        exports = {
            "table": (f"A table of {asked.rows:,} rows", ["table", str(database), TABLE, "-f", "programjson"]),
            "client": ("One client", ["client", str(database), ANNA, "-f", "programjson"]),
        }
        for name, (title, words) in exports.items():
            stacks = folder / "stacks"
            command = [python, str(Path(__file__).with_name("sampled.py")), str(stacks), *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if asked.write:
                svg = asked.write.with_name(f"flames_{name}.svg")
                svg.write_text(picture(f"{title}, {way}", tree_of(stacks.read_text("utf-8"))), "utf-8")
                lines += [f"![{title}: the shares of its time, by function]({svg.name})", ""]
    about = (
        f"Whole commands with their start ({way}), sampled every 2 ms. "
        "Each box is a function, below the one that calls it."
    )
    publish("## Where the time goes", about, lines[:-1], asked.write)


if __name__ == "__main__":
    main()
