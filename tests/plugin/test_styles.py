"""Our style sheets meet nothing of Datasette's, and of a site's own."""

from __future__ import annotations

import re

import pytest

from tests.support.source_code import PACKAGE

SHEETS = sorted((PACKAGE / "plugin" / "static").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_rule_is_below_a_class_of_ours(sheet) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"@media[^{]*\{", "", text)
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", text) for one in rule.split(",")]
    assert len(selectors) > 10
    assert [one for one in selectors if not re.match(r"\.program-export-(page|action|news)\b", one)] == []


def test_no_template_gives_the_page_a_class() -> None:
    """The classes above stand on parts of ours: on the body they would meet the header, too."""
    for path in PACKAGE.rglob("plugin/**/*.html"):
        assert "body_class" not in path.read_text("utf-8"), path.name
