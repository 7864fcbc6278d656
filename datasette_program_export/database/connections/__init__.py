"""Connections that are made or kept for a purpose: copies, scratch databases, connections kept between exports."""
