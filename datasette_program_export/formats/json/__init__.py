"""programjson and ndjson: writing and reading back."""
