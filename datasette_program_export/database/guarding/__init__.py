"""Limits what SQL from outside may do: its tokens, the names in it, and SQLite's authorizer."""
