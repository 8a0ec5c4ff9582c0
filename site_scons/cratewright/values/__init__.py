"""Crates, links and their parts, as frozen values."""
