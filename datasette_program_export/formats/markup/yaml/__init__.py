"""Writes and reads YAML."""
