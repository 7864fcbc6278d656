"""SQL scripts of other programs: run in a private database that is guarded, from which their rows are read."""
