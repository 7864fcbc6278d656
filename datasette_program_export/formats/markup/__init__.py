"""Formats that are texts with marks: XML and YAML, each everything in one file."""
