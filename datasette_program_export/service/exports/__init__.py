"""What ``ExportService`` is made of: arguments, tables, rows as text, results."""
