"""What an export would hold: counts, sizes, references, warnings, a picture."""
