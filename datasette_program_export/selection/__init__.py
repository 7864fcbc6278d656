"""Selects the rows and columns that an export holds."""
