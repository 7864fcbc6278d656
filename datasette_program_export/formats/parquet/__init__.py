"""Reads and writes parquet: a table in columns, typed, for data tools."""
