"""csv and tsv: writing (two dialects) and reading back."""
