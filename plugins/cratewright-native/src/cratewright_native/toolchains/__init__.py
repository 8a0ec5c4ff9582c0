"""Toolchains: which there are, which one a build uses, and how each is called."""
