"""Processes that a backend works in."""
