"""One import as it runs, from the file to the commit."""
