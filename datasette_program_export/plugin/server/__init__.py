"""The state of one running server: its private folder, jobs, imports, concurrency limits, throttle and log."""
