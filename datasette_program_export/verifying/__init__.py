"""Is a file complete and unchanged, and what does it hold?"""
