"""The pages of imports, and the check of who may import what."""
