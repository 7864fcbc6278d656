"""Values that are shown in a way of their own: charts of astrology as a wheel, and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ...dataset import Field, Value
from ...description.language.catalogue import Words
from ..charts import Chart, aspects_table, chart_table, draw_wheel, is_chart, read_chart, tell_left_out, words_of
from .markup import cell, text
from .values import Special

_LEAST = 100  # characters: no chart is shorter


def chart_of(value: Value) -> Chart | None:
    """Return the chart that a value is; None for any other."""
    return read_chart(value) if _may_be(value) else None


def holds_chart(value: Value) -> bool:
    """Return whether a value is a chart, as ``chart_of`` says."""
    return _may_be(value) and is_chart(value)


def _may_be(value: Value) -> bool:
    return isinstance(value, (str, bytes)) and len(value) >= _LEAST and value[:1] in ("{", b"{")


def special(say: Words) -> Special:
    """Return the function that shows such values, or returns None for any other."""
    words, numbers = words_of(say.language), count(1)

    def shown(field: Field, value: Value) -> str | None:
        if (chart := chart_of(value)) is None:
            return None
        wheel = draw_wheel(chart, words, f"w{next(numbers)}")
        note = tell_left_out(chart, words)
        points, aspects = chart_table(chart, words), aspects_table(chart, words)
        return (
            f'<figure class="chart">{wheel}</figure>'
            + (f'<p class="gone">{text(note)}</p>' if note else "")
            + _folded(say("dossier.points"), points)
            + (_folded(say("dossier.aspects"), aspects) if len(aspects) > 1 else "")
            + f'<p class="gone">{text(say("dossier.stored_chart"))}</p>'
        )

    return shown


def _folded(title: str, rows: Sequence[Sequence[str]]) -> str:
    columns = len(rows[0])
    head = "".join(cell(text(name), columns, ' scope="col"', "th") for name in rows[0])
    body = "".join("<tr>" + "".join(cell(text(said), columns) for said in row) + "</tr>" for row in rows[1:])
    return (
        f'<details class="points"><summary>{text(title)}</summary><div class="scroll" tabindex="0" role="group" '
        f'aria-label="{text(title)}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>'
    )
