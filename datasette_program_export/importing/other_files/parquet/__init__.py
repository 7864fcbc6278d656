"""Reads Parquet files of other programs: each value as SQLite holds it, and told where it becomes another kind."""
