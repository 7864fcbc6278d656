"""Which rows and columns an export holds."""
