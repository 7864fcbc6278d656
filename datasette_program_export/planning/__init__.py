"""Plans an export without writing it: counts, sizes, references, warnings, a picture."""
