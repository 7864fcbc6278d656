"""Checks settings against the databases that they are for, one kind of setting a file."""
