"""What can be requested and configured: a request, its text forms, saved profiles, settings and presets."""
