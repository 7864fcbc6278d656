"""Reads and writes sqlite and sql: a database file and an SQL script with the same tables."""
