"""A dossier: one HTML page for a person to read, without a network, that carries the same data for programs."""
