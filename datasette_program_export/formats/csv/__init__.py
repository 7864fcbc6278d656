"""Reads and writes csv and tsv, csv in two dialects."""
