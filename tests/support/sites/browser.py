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
