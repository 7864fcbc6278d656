"""The style of a wheel: few rules, for light and dark, screen and paper."""

from __future__ import annotations

_LIGHT = (
    "--wheel-fire:#a63d2a;--wheel-earth:#4f6b2c;--wheel-air:#8a6412;--wheel-water:#28658f;"
    "--wheel-hard:#b23a2e;--wheel-soft:#2a66a3;--wheel-minor:#6d6d6d"
)
_DARK = (
    "--wheel-fire:#eb9a84;--wheel-earth:#a9c886;--wheel-air:#e0bf6b;--wheel-water:#8cc2e8;"
    "--wheel-hard:#f08f80;--wheel-soft:#86bbf0;--wheel-minor:#a3a3a3"
)
_PARTS = ("fire", "earth", "air", "water", "hard", "soft", "minor")


def wheel_css() -> str:
    """Return the rules for all wheels of a page. Without them a wheel is in one colour.

    Lines and letters have the colour of the text around. ``--wheel-paper`` is the colour behind letters, by default
    that of the page; set it where a wheel stands on another ground."""
    colours = "".join(f".wheel-{part}{{color:var(--wheel-{part})}}" for part in _PARTS)
    return (
        ".wheel{display:block;width:100%;max-width:40rem;height:auto;margin-inline:auto;break-inside:avoid}"
        f":root{{{_LIGHT}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"
        f"{colours}"
        ".wheel-paper{stroke:var(--wheel-paper,Canvas)}"
    )
