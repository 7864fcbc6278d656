"""Charts of astrology, as they are stored: a wheel, a table of points, a table of aspects. Nothing is computed.

``read_chart`` reads a stored value; ``draw_wheel``, ``chart_table`` and ``aspects_table`` show it in the words that
they are given (``words_of``); ``tell_left_out`` says what of it cannot be shown.
"""

from __future__ import annotations

from .chart import Chart
from .reading import is_chart, read_chart
from .style import wheel_css
from .tables import aspects_table, chart_table
from .telling import tell_left_out
from .wheel import draw_wheel
from .words import words_of

__all__ = [
    "Chart",
    "aspects_table",
    "chart_table",
    "draw_wheel",
    "is_chart",
    "read_chart",
    "tell_left_out",
    "wheel_css",
    "words_of",
]
