"""Proposes settings for a database that nobody described, and checks settings against a database."""
