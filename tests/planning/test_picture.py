"""The picture of a plan: pure, from a Plan to SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from datasette_program_export.planning.picture import MOST, picture
from datasette_program_export.planning.picture.layout import laid_out
from datasette_program_export.planning.picture.text import clean, fitted, width
from datasette_program_export.planning.plan import Plan
from tests.support.plans import planned, reference

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>", "a\"b'c", "漢字の表", "x" * 300, "جدول العملاء", "a\u202eb", "]]>", "&amp;",
    "a\0b\x1b", "\ud800", "", " ",
]  # fmt: skip


def drawn(plan: Plan) -> ET.Element:
    return ET.fromstring(picture(plan))


def texts(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{SVG}text")]


def boxes(root: ET.Element) -> list[dict[str, float]]:
    """The boxes, without the panel they stand on."""
    return [{k: float(r.get(k)) for k in ("x", "y", "width", "height")} for r in list(root.iter(f"{SVG}rect"))[1:]]


def apart(root: ET.Element) -> bool:
    for a, b in combinations(boxes(root), 2):
        beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
        if not beside and not (a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]):
            return False
    return True


def test_tables_are_boxes_with_counts_and_lines_carry_the_column() -> None:
    root = drawn(planned("clients", "charts", references=[("charts", "client_id", "clients")], rows={"charts": 3}))
    assert texts(root) == ["clients", "1 row, asked for", "charts", "3 rows", "client_id"]
    left, right = boxes(root)
    assert left["x"] + left["width"] < right["x"]  # parents stand left of children


def test_it_is_an_image_with_a_name_and_a_description_and_holds_no_script() -> None:
    root = drawn(planned("clients"))
    assert root.get("role") == "img" and root.get("aria-label") == "What is exported from here: Anna"
    assert root[0].tag == f"{SVG}title" and root[1].tag == f"{SVG}desc"
    assert "words below" in root[1].text
    assert {e.tag for e in root.iter()} <= {SVG + n for n in ("svg", "title", "desc", "rect", "g", "path", "text")}


def test_the_subject_is_marked() -> None:
    root = drawn(planned("a", "b", references=[("b", "a_id", "a")]))
    widths = [r.get("stroke-width") for r in list(root.iter(f"{SVG}rect"))[1:]]
    assert widths == ["3", "1.5"]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"followed": False, "stopped": True, "why_not": "not followed, as you asked"}, " (stopped)"),
        ({"withheld": 2}, " (2 kept back)"),
        ({}, ""),
    ],
)
def test_stopped_and_withheld_lines_are_broken_and_say_so(more: dict, note: str) -> None:
    root = drawn(planned("a", "b").model_copy(update={"references": [reference("b", "a_id", "a", **more)]}))
    assert f"a_id{note}" in texts(root)
    assert bool([p for p in root.iter(f"{SVG}path") if p.get("stroke-dasharray")]) is bool(more)


def test_what_is_left_out_stands_beside_with_a_broken_border() -> None:
    left_out = reference("notes", "a_id", "a", followed=False, why_not="left out, as you asked")
    root = drawn(planned("a").model_copy(update={"references": [left_out]}))
    assert "left out" in texts(root)
    assert [bool(r.get("stroke-dasharray")) for r in list(root.iter(f"{SVG}rect"))[1:]] == [False, True]


def test_circles_and_references_to_itself_are_drawn() -> None:
    circle = [("a", "c_id", "c"), ("b", "a_id", "a"), ("c", "b_id", "b"), ("a", "boss", "a"), ("a", "second", "a")]
    root = drawn(planned("a", "b", "c", references=circle))
    assert {"c_id", "a_id", "b_id", "boss, second"} <= set(texts(root)) and apart(root)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_names(name: str) -> None:
    other = name + "2"
    text = picture(planned(name, other, references=[(other, name, name)], title=name, source=name))
    root = ET.fromstring(text)
    assert "<script" not in text and "\u202e" not in text
    assert any(clean(name)[:10].strip() in t for t in texts(root))
    wide = boxes(root)[0]["width"]
    assert all(width(t, 12) <= 231 for t in texts(root)) and wide <= 220  # what is long is cut
    assert clean(name) in "".join(t.text or "" for t in root.iter(f"{SVG}title"))  # and told in full


@pytest.mark.parametrize("tables", [1, 2, 39, 40, 41, 300])
def test_many_tables_are_folded_and_boxes_never_overlap(tables: int) -> None:
    names = [f"t{i}" for i in range(tables)]
    links = [(f"t{i}", f"t{j}_id", f"t{j}") for i in range(1, tables) for j in {i // 2, i // 3, (i * 7) % i}]
    root = drawn(planned(*names, references=links))
    assert apart(root)
    assert len(boxes(root)) == min(tables, MOST) + (tables > MOST)
    folded = [t for t in texts(root) if t.startswith("…")]
    assert folded == ([f"… and {tables - MOST} more tables"] if tables > MOST else [])
    assert "t0" in texts(root)
    wide, high = float(root.get("width")), float(root.get("height"))
    assert all(b["x"] >= 0 and b["y"] >= 0 for b in boxes(root))
    assert all(b["x"] + b["width"] <= wide and b["y"] + b["height"] <= high for b in boxes(root))


def test_tables_with_rows_are_kept_when_others_are_folded() -> None:
    names = ["subject", *(f"empty{i}" for i in range(60)), "full"]
    root = drawn(planned(*names, rows={n: 0 for n in names if n.startswith("empty")}))
    assert "subject" in texts(root) and "full" in texts(root)


def test_a_line_that_passes_a_layer_has_a_lane_of_its_own() -> None:
    pairs = [("a", "b"), ("b", "c"), ("a", "c")]
    nodes, lines, _ = laid_out({"a": 48, "b": 48, "c": 48}, pairs)
    assert [nodes[n].layer for n in "abc"] == [0, 1, 2]
    (lane,) = lines[2].lanes
    assert lane.layer == 1 and not nodes["b"].y <= lane.y <= nodes["b"].y + nodes["b"].height


def test_a_long_text_is_cut_to_its_room() -> None:
    assert fitted("short", 14, 200) == "short"
    for text in ("W" * 500, "列" * 500, "é" * 500):
        cut = fitted(text, 14, 200)
        assert "…" in cut and width(cut, 14) <= 200 < width(text, 14)


def test_names_that_begin_alike_are_told_apart_when_they_are_cut() -> None:
    cut = {fitted(f"table_with_a_rather_long_name_{number:02}", 12, 150) for number in range(30)}
    assert len(cut) == 30 and all(name.startswith("table_with") for name in cut)


def test_the_same_plan_gives_the_same_picture() -> None:
    made = planned(*(f"t{i}" for i in range(60)), references=[(f"t{i}", "x", "t0") for i in range(1, 60)])
    assert picture(made) == picture(made) and not re.search(r"\bnan\b", picture(made))


def test_a_query_has_no_picture() -> None:
    assert picture(planned("query", scope="query")) == ""
