"""Dossiers as tests read them."""
