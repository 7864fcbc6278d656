"""The format dossier: one page for a person, with a copy for programs."""
