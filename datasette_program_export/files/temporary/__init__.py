"""Temporary folders and files: made, bounded by the room on the disk, and removed, even after a killed process."""
