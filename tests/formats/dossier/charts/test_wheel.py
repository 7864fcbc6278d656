"""The wheel: well-formed, safe in any page, true to what is stored; its tables say the same."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_program_export.formats.dossier.charts import (
    aspects_table,
    chart_table,
    draw_wheel,
    read_chart,
    tell_left_out,
    wheel_css,
    words_of,
)
from datasette_program_export.formats.dossier.charts.chart import ANGLES, ASPECTS, PLANETS, SIGNS
from datasette_program_export.formats.dossier.charts.face import Face
from datasette_program_export.formats.dossier.charts.glyphs import GLYPHS, glyph
from datasette_program_export.formats.dossier.charts.spreading import spread
from datasette_program_export.formats.dossier.charts.words import LANGUAGES

from .samples import KNOWN, chart, demo_charts

ENGLISH = words_of("en")
SVG = "{http://www.w3.org/2000/svg}"
CROWD = {"planets": {name: {"longitude": 118 + 5 * n / 11} for n, name in enumerate(PLANETS[:12])}}
MANY = {"planets": {f"asteroid {n}": {"longitude": n * n * 7.3 % 360, "retrograde": True} for n in range(200)}}
ALL = {**{f"demo {k}": v for k, v in demo_charts().items()}, "known": json.dumps(KNOWN)}
ALL |= {"crowd": json.dumps({**KNOWN, **CROWD}), "many": json.dumps({**KNOWN, **MANY})}


def drawn(stored: object) -> ElementTree.Element:
    return ElementTree.fromstring(draw_wheel(chart(stored), ENGLISH))


@pytest.mark.parametrize("stored", ALL.values(), ids=ALL)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wheel_is_safe_in_any_page(stored: str, language: str) -> None:
    """No script, style, font or address; a name and a description that are there; only what a strict policy allows."""
    text = draw_wheel(read_chart(stored), words_of(language))
    root = ElementTree.fromstring(text)
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        *("svg", "title", "desc", "g", "path", "circle", "text")
    }
    assert not {name for part in root.iter() for name in part.attrib if name.startswith(("on", "style"))}
    assert "href" not in text and "url(" not in text and "nan" not in text.casefold().replace("nanc", "")
    named = {part.attrib["id"]: part.text for part in root.iter() if "id" in part.attrib}
    assert root.attrib["role"] == "img" and root.attrib["aria-labelledby"].split() == list(named)
    assert all(named.values())


def test_points_lie_at_their_longitudes_with_the_ascendant_on_the_left() -> None:
    root = drawn(KNOWN)
    face = Face(chart(KNOWN))
    x, y = face.at(95.4, 100)
    assert (round(x), round(y)) == (-100, 0) and round(face.at(185.4, 100)[1]) == 100  # against the clock
    dots = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{SVG}circle") if "cx" in c.attrib]
    for dot, point in zip(dots, chart(KNOWN).points, strict=True):
        assert dot == pytest.approx(face.at(point.longitude, 85), abs=0.06)
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert "Sun 16°30′ Gemini, House 12" in titles and "Mercury 9°03′ Cancer, House 1, retrograde" in titles
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"AC 5°24′", "MC 10°54′", "DC", "IC", "POS"} <= set(texts)
    assert [text for text in texts if text.isdigit()] == [str(n) for n in range(1, 13)]


def test_only_what_is_stored_is_drawn() -> None:
    bare = {"planets": {"sun": {"longitude": 1}}}
    texts = [text.text for text in drawn(bare).iter(f"{SVG}text")]
    assert texts == ["1°", "00′"]
    told = drawn(bare).find(f"{SVG}desc").text
    assert "Aries begins on the left" in told and "No house cusps" in told and "No aspects" in told
    lines = len(list(drawn({**KNOWN, "houses": {}, "houses_metadata": {}, "aspects": []}).iter(f"{SVG}path")))
    with_aspects = {**KNOWN, "houses": {}, "houses_metadata": {}}
    assert len(list(drawn(with_aspects).iter(f"{SVG}path"))) == lines + 2  # the one with both ends here, and its key
    assert "Aspects in the table only: 2." in drawn(with_aspects).find(f"{SVG}desc").text


def test_aspects_between_two_charts_are_not_drawn_as_if_they_were_within_one() -> None:
    stored = json.loads(demo_charts()["synastry"])
    text = draw_wheel(chart(stored), ENGLISH)
    assert stored["partner"]["name"] not in text and "wheel-hard" not in text and "wheel-soft" not in text
    assert "A second chart is stored" in text
    assert len(aspects_table(chart(stored), ENGLISH)) == 10


def test_points_beyond_what_a_drawing_bears_are_in_the_table() -> None:
    found = chart(MANY)
    assert "no room for more points: 140." in draw_wheel(found, ENGLISH) and len(chart_table(found, ENGLISH)) == 201


def test_equal_charts_on_one_page_have_different_ids_by_their_keys() -> None:
    first, second = (re.search(r' id="([^"]+)"', draw_wheel(chart(KNOWN), ENGLISH, key))[1] for key in "ab")
    assert first != second and draw_wheel(chart(KNOWN), ENGLISH) == draw_wheel(chart(KNOWN), ENGLISH)


def test_tables_say_what_is_stored() -> None:
    found = chart({**KNOWN, "planets": {**KNOWN["planets"], "mars": {"longitude": 10, "sign": 11}, "venus": {}}})
    assert chart_table(found, words_of("de"))[:3] == [
        ("Punkt", "Zeichen", "Grad", "Haus", "Lauf"),
        ("Sonne", "Zwillinge", "16°30′", "12", "direktläufig"),
        ("Mond", "Skorpion", "0°06′", "5", ""),
    ]
    assert ("Mars", "Aries (stored: Pisces)", "10°00′", "", "") in chart_table(found, ENGLISH)
    assert ("Ascendant", "Cancer", "5°24′", "", "") in chart_table(found, ENGLISH)
    assert aspects_table(found, ENGLISH) == [
        ("Point", "Aspect", "To", "Orb", "Phase"),
        ("Sun", "sesquiquadrate", "Moon", "1°24′", ""),
        ("Mercury", "conjunction", "Ascendant", "3°39′", "separating"),
        ("Sun", "nonagon", "eris", "", "applying"),
    ]
    assert tell_left_out(found, ENGLISH) == (
        "Left out, because no readable longitude is stored: Venus. "
        "Stored with another sign than that of their longitude: Mars."
    )
    assert tell_left_out(chart(KNOWN), ENGLISH) == ""


def test_every_name_has_its_word_in_each_language_and_every_planet_its_glyph() -> None:
    names = {f"sign.{n}" for n in SIGNS} | {f"planet.{n}" for n in PLANETS} | {f"aspect.{n}" for n in ASPECTS}
    names |= {f"angle.{n}" for n in ANGLES} | {f"angle_short.{n}" for n in ANGLES[:4]}
    for words in LANGUAGES.values():
        assert names == {key for key in words if not key.startswith("chart.")} and all(words.values())
    assert LANGUAGES["en"].keys() == LANGUAGES["de"].keys()
    assert all(glyph(name) for name in (*PLANETS, *SIGNS)) and glyph("eris") == ""
    assert all(re.fullmatch(r"(?:[MLHVCAZa]|-?\.?\d+(?:\.\d+)?| )+", drawn) for drawn in GLYPHS.values())


def test_the_style_has_no_address_and_both_schemes() -> None:
    assert "url(" not in wheel_css() and "@import" not in wheel_css() and "<" not in wheel_css()
    assert wheel_css().count("{") == wheel_css().count("}") and "prefers-color-scheme:dark" in wheel_css()


TURNS = st.floats(0, 360, exclude_max=True)


@given(st.lists(TURNS, max_size=50), st.lists(TURNS, max_size=12, unique=True))
@settings(deadline=None, max_examples=50)
def test_labels_never_lie_on_one_another_and_keep_their_order(places: list[float], lines: list[float]) -> None:
    found = spread(places, 8, lines, 2)
    assert len(found) == len(places)
    if len(places) > 1:
        order = [found[i] for i in sorted(range(len(places)), key=places.__getitem__)]
        steps = [(b - a) % 360 for a, b in pairwise([*order, order[0]])]
        assert min(steps) >= min(8, 360 / len(places)) - 1e-6 and sum(steps) == pytest.approx(360)
    assert spread([10, 200], 8) == pytest.approx([10, 200])


def test_a_label_stays_on_its_side_of_a_line() -> None:
    assert spread([99, 101, 100], 8, [100], 2) == pytest.approx([95, 113, 105], abs=0.01)
    left, right = spread([99.9, 100], 8, [100], 2)
    assert left == pytest.approx(95, abs=0.01) and right == pytest.approx(105, abs=0.01)


NUMBERS = st.floats() | st.integers() | st.none() | st.text(max_size=3)
NAMES = st.sampled_from([*PLANETS, *ANGLES, "<b>&\"'", "\ud800\0", ""]) | st.text(max_size=8)
CHARTS = st.fixed_dictionaries(
    {
        "planets": st.dictionaries(NAMES, st.dictionaries(st.sampled_from(["longitude", "house", "sign"]), NUMBERS)),
        "houses": st.fixed_dictionaries({"cusps": st.lists(NUMBERS, min_size=12, max_size=12), "ascendant": NUMBERS}),
        "aspects": st.lists(st.fixed_dictionaries({"planet1": NAMES, "planet2": NAMES, "type": NAMES, "orb": NUMBERS})),
    }
)


@given(CHARTS)
@settings(deadline=None, max_examples=50)
def test_whatever_is_read_is_drawn_well_formed(stored: dict[str, object]) -> None:
    found = read_chart(json.dumps(stored))
    if found is not None:
        ElementTree.fromstring(draw_wheel(found, ENGLISH).encode())
        assert {len(row) for row in chart_table(found, ENGLISH) + aspects_table(found, ENGLISH)} == {5}
        json.dumps(chart_table(found, ENGLISH), ensure_ascii=False).encode()
