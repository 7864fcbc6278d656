"""Plugins of the tests, and how a test registers them."""
