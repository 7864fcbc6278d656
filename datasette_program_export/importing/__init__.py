"""Imports a file into a database: all of it or nothing."""
