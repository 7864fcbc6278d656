"""Staged rows are compared with the target, checked and written."""
