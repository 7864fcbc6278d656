"""The private database in which the rows of a file are staged, and their mapping to the target."""
