"""The choices of an import: what ``load`` says of them, and what it refuses."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import load
from datasette_program_export.errors import RequestError
from datasette_program_export.importing.choices import ImportChoices


def test_the_signature_of_load_has_every_choice_with_its_default() -> None:
    said = inspect.signature(load).parameters
    known = {name: field.default for name, field in ImportChoices.model_fields.items()}
    assert {name: said[name].default for name in known if name in said} == known
    assert said["unknown"].kind is inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"nonsense": 1}, "nonsense: Extra inputs are not permitted"),
        ({"on_conflict": "win"}, "on_conflict: Input should be 'fail', 'skip', 'update' or 'replace'"),
        ({"on_conflict_for": {"t": "win"}}, "on_conflict_for.t: Input should be 'fail', 'skip', 'update' or 'replace'"),
        ({"preview": "perhaps"}, "preview: Input should be a valid boolean, unable to interpret input"),
        (
            {"preview": "perhaps", "nonsense": 1},
            "preview: Input should be a valid boolean, unable to interpret input; "
            "nonsense: Extra inputs are not permitted",
        ),
    ],
    ids=str,
)
def test_a_choice_that_there_is_not_is_named(tmp_path: Path, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as raised:
        load(tmp_path / "new.db", tmp_path / "file.json", **choices)
    assert str(raised.value) == f"This cannot be asked of an import: {message}."
    assert list(tmp_path.iterdir()) == []
