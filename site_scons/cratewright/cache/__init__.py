"""Reusable results, and how to know that they may be reused."""
