"""Turns a request into the bytes of a document."""
