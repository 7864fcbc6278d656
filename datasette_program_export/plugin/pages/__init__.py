"""The pages and documents that are answered immediately."""
