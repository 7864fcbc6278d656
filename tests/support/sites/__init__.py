"""Datasette with the plugin: in process, under uvicorn, with people and jobs."""
