"""Toolchains: finding them, choosing one for a build, and calling it."""
