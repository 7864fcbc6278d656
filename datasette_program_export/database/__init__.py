"""Reads one SQLite database: opens it, reflects its schema, and holds one consistent snapshot of it."""
