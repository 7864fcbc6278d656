"""A library's plugin: its tables as Markdown, what its tables are, and readers who are not exported."""

import sys

from datasette_program_export import Format, OwnerRule, hookimpl


def markdown(table, request):
    """Write one table as Markdown."""

    def line(cells):
        texts = ("" if cell is None else str(cell) for cell in cells)
        return f"| {' | '.join(t.replace('|', '/').replace(chr(10), ' ') for t in texts)} |\n".encode(
            "utf-8", "replace"
        )

    yield line(field.name for field in table.fields) + line("---" for _ in table.fields)
    for rows in table.batches:
        yield b"".join(map(line, rows))


@hookimpl
def register_export_formats():
    facts = {"extension": "md", "ending": "md", "media_type": "text/markdown; charset=utf-8", "good_for": "a wiki"}
    kind = {"lossless": False, "self_verifying": False, "encode_table": markdown}
    return [Format(name="markdown", help="A table to be read by people.", **facts, **kind)]


@hookimpl
def register_export_presets():
    preset = {
        "title": "A library",
        "about": "a town's library",
        "persons": ["readers"],
        "secrets": {"readers": ["desk"]},
    }
    return {"library": {**preset, "recognise": {"readers": ["name", "desk", "consent"], "loans": ["reader_id"]}}}


@hookimpl
def export_owner_rules(schema, database):
    if not {"readers", "loans"} <= set(schema):
        return []
    agreed, why = "SELECT id FROM readers WHERE consent = 1", "the reader did not agree"
    return [OwnerRule("readers", f"id IN ({agreed})", why), OwnerRule("loans", f"reader_id IN ({agreed})", why)]


@hookimpl
def export_finished(facts):
    rows = sum(facts.rows.values())
    print(f"{facts.outcome}: {rows} rows as {facts.format} for {facts.who or 'somebody'}", file=sys.stderr)
