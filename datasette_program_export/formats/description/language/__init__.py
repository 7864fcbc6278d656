"""Sentences and numbers in the languages that pages and files speak."""
