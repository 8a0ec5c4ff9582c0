"""One source to modules that can be linked."""
