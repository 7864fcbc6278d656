"""The project itself: its architecture, its documents, its Makefile."""
