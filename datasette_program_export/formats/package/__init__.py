"""Reads and writes package: a zip with one file per table and a Data Package description."""
