"""Databases of the tests: made, odd, random; and what an export of them must hold."""
