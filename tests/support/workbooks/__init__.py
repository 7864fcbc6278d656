"""Exported files: read by other programs, changed, made by formats of the tests."""
