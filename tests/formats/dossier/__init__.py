"""The file that a person reads."""
