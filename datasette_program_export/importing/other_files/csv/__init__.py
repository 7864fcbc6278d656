"""Reads CSV: how the file is written, where its rows begin, and what each cell means in its column."""
