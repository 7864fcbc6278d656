"""Writes the JSON Schemas of the documents beside the documentation: ``python docs/schemas.py``."""

from __future__ import annotations

import json
from pathlib import Path

from datasette_program_export import Plan, Report
from datasette_program_export.formats.document import Document, json_schema

MODELS = {"programjson": Document, "plan": Plan, "verify": Report}
ANSWERS = ("plan", "verify")  # also what a site answers
OK = {"const": True, "description": "In the answer of a site only."}
FOLDER = Path(__file__).parent


def text(name: str) -> str:
    schema = json_schema(MODELS[name])
    if name in ANSWERS:
        schema["properties"] = {"ok": OK, **schema["properties"]}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    for name in MODELS:
        (FOLDER / f"{name}.schema.json").write_text(text(name), encoding="utf-8")
