"""Reads and writes bytes: compression, zip, spools, atomic files, limits against decompression bombs."""
