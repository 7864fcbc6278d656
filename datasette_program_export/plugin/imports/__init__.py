"""The pages of imports, and who may import what."""
