"""Compares two files or databases row by row: is everything still there, for example after an upgrade?"""
