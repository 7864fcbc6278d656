"""Proving a file: import it into a new database and compare."""
