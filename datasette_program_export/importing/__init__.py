"""Importing a file: all of it or nothing."""
