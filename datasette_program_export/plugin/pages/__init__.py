"""The pages and documents that are answered at once."""
