"""Reads files that this program did not write: JSON and CSV of any origin."""
