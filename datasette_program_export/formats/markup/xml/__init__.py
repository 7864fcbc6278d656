"""Writes and reads XML."""
