"""The one grammar: text to a request and back, and what is wrong is named."""

from __future__ import annotations

import pytest
from datasette.utils import tilde_encode
from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.errors import RequestError, SettingsError
from datasette_program_export.formats.registry import NAMES
from datasette_program_export.options.grammar import (
    OPTIONS,
    format_options,
    parse_options,
    parse_row_path,
    with_profile,
)
from datasette_program_export.options.request import Request

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
requests = st.builds(
    dict,
    format=st.sampled_from(NAMES),
    layout=st.sampled_from(["rows", "pretty"]),
    dialect=st.sampled_from(["exact", "spreadsheet"]),
    delimiter=st.sampled_from([None, ",", ";", "\t", "pipe"]),
    cascade=st.sampled_from([None, True, False]),
    parents=st.sampled_from([None, "needed", "none"]),
    others=st.sampled_from(["withhold", "include"]),
    without=st.lists(words, max_size=3).map(tuple),
    stop=st.lists(words, max_size=3).map(tuple),
)


@given(requests)
def test_a_request_comes_back_from_its_parameters(fields: dict) -> None:
    try:
        request = Request(table="t", **fields)
    except RequestError as error:  # it contradicts itself, and says so
        assert "only goes with following references" in str(error)
        return
    assert Request(table="t", **parse_options(format_options(request))) == request


def test_a_profile_lies_under_what_is_said_beside_it() -> None:
    profiles = {"share": {"format": "package", "without": ["session_notes"]}}
    fields = with_profile({"profile": "share", "format": "csv"}, profiles)
    request = Request(table="t", cascade=True, **fields)
    assert (request.format, request.without, request.profile) == ("csv", ("session_notes",), "share")
    with pytest.raises(RequestError, match="no profile nix. Known: share"):
        with_profile({"profile": "nix"}, profiles)
    with pytest.raises(SettingsError, match="profiles: share: there is no option formt"):
        with_profile({"profile": "share"}, {"share": {"formt": "package"}})


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_numbers_too(limit: int, offset: int) -> None:
    request = Request(table="t", limit=limit, offset=offset)
    assert Request(table="t", **parse_options(format_options(request))) == request


def test_what_is_at_its_default_is_not_written() -> None:
    assert format_options(Request(table="t")) == []


def test_every_option_is_a_field() -> None:
    assert {o.field for o in OPTIONS} <= set(Request.model_fields)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("_export_formatt", "csv")], "no parameter _export_formatt. Known: _export_blobs, _export_cascade"),
        ([("_export_format", "csv"), ("_export_format", "tsv")], "_export_format was given twice"),
        ([("_export_layout", "x")], "_export_layout must be rows or pretty"),
        ([("_export_cascade", "yes")], "_export_cascade must be 1 or 0"),
        ([("_export_limit", "-1")], "_export_limit must be a whole number"),
        ([("_export_limit", "１")], "_export_limit must be a whole number"),
        ([("_export_limit", "9" * 19)], "_export_limit must be a whole number"),
        ([("_export_offset", "")], "_export_offset must be a whole number"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(pairs: list, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        parse_options(pairs)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"records": (("1",),), "where": ("x",)}, "A filter .where. does not go with records that are named one"),
        ({"records": (("1",),), "limit": 1}, "limit does not go with records that are named one by one"),
        ({"sql": "select 1"}, "sql does not go with a table"),
        ({"tables": ("u",)}, "tables does not go with the rows of a table"),
        ({"stop": ("t.a",)}, "stop only goes with following references"),
        ({"table": None, "sql": "select 1", "where": ("x",)}, "A filter .where. does not go with a query"),
        ({"table": None, "sql": "select 1", "without": ("x",)}, "without does not go with a query"),
        ({"table": None, "limit": 1}, "limit does not go with a whole database"),
        ({"table": None, "cascade": False}, "cascade does not go with a whole database"),
        ({"table": None, "records": (("1",),)}, "record needs a table"),
        ({"cascade": True, "limit": 1}, "do not go with following"),
        ({"others": "x"}, "others must be 'withhold' or 'include'"),
        ({"nix": 1}, "There is no option nix"),
        ({"limit": -1}, "limit: must be a whole number"),
    ],
)
def test_what_contradicts_itself_is_said(fields: dict, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Request(**{"table": "t", **fields})


@given(st.lists(words, min_size=1, max_size=3))
def test_row_paths_are_datasettes(parts: list[str]) -> None:
    assert parse_row_path(",".join(map(tilde_encode, parts))) == tuple(parts)
