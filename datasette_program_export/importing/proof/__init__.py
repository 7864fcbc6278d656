"""Proves a file: imports it into a new database and compares the two."""
