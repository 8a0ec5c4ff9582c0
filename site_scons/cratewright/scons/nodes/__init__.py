"""Nodes of crates, and the files and paths behind SCons's nodes."""
