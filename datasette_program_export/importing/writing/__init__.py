"""Compares the staged rows with the target, checks them and writes them."""
