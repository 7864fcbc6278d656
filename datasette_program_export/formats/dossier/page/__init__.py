"""The page of a dossier: its parts, and what its tables, columns, rows and values are called and shown as."""
