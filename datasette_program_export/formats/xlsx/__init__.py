"""Reads and writes xlsx: workbooks of Excel, LibreOffice and others."""
