"""The private database in which the rows of a file wait, and how they map to the target."""
