"""Plugins: finding, listing and calling them."""
