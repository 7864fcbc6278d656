"""What can be asked for and configured: one request, its text forms, saved profiles, settings and presets."""
