"""Reads and writes programjson and ndjson."""
