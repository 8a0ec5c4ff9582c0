"""What SCons's graph says: which files it makes, from what, and where."""
