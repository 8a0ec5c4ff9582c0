"""Plugins: found, listed, called."""
