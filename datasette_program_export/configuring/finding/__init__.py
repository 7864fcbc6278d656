"""What is found in a database, one noun a file: references, titles, secrets, caches, JSON."""
