"""One HTML file for a person to read, with the same rows for a program to load."""
