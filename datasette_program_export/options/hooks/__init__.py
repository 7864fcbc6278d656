"""Hooks of our own, by pluggy: formats, presets and owner rules from other packages, and word of each export's end."""
