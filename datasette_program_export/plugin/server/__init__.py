"""What one running server holds: its private folder, its jobs and imports, slots, throttle, log."""
