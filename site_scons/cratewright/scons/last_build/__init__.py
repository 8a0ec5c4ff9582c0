"""The last build: which crates have nothing to do since, so that they need not be declared."""
