"""Reading one SQLite database: opening it, what it is made of, and one consistent moment of it."""
