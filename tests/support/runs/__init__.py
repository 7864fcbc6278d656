"""How the tests run: which on which Datasette line, how much of each, and for how long they wait."""
