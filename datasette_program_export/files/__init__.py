"""Bytes in and out: compression, zip, spools, files written whole or not at all, guards against bombs."""
