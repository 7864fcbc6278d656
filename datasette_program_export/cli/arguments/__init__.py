"""What stands on the command line: rows by key or name, and what the shell completes."""
