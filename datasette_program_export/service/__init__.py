"""ExportService and ImportService: exports and imports as Python objects."""
