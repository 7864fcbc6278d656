"""Chromium, and what tests do with its pages."""

from __future__ import annotations

from pathlib import Path


def drop(page, file: Path) -> None:
    """As the mouse drops a file on the field."""
    place = page.locator("input[type=file]").bounding_box()
    at = {"x": place["x"] + place["width"] / 2, "y": place["y"] + place["height"] / 2}
    dragged = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": step, "data": dragged, **at})


AXE = Path(__file__).parents[3] / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {"wide": 1280, "narrow": 375}


def check(page) -> None:
    """Axe's verdict on our part of a page, and that nothing sticks out of it."""
    page.evaluate("document.querySelectorAll('.program-export-page details').forEach(d => d.open = true)")
    if page.evaluate("typeof axe === 'undefined'"):
        page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run('.program-export-page')")
    told = [f"{v['id']}: {v['help']}: {[n['html'][:120] for n in v['nodes']][:3]}" for v in found["violations"]]
    assert told == [] and len(found["passes"]) > 5
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0  # only the picture and the tables of numbers scroll, in their own place
