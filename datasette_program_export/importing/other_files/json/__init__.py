"""Reads JSON: one document or several, rows a line, and where it is at fault."""
