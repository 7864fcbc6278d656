"""Writes the JSON Schemas of the documents beside the documentation: ``python docs/schemas.py``."""

from __future__ import annotations

import json
from pathlib import Path

from datasette_program_export import Plan, Report
from datasette_program_export.formats.document import Document, json_schema

MODELS = {"programjson": Document, "plan": Plan, "verify": Report}
FOLDER = Path(__file__).parent


def text(name: str) -> str:
    return json.dumps(json_schema(MODELS[name]), indent=2) + "\n"


if __name__ == "__main__":
    for name in MODELS:
        (FOLDER / f"{name}.schema.json").write_text(text(name), encoding="utf-8")
