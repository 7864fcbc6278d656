"""How rows come out of SQLite: how many at once, and, with an optional package, written in C already."""
