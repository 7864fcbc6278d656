"""Verifies a file: is it complete and unchanged, and what does it hold?"""
