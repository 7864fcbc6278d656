"""Decides whose a row is, and which rows are withheld: those of other people, and those that a plugin withholds."""
