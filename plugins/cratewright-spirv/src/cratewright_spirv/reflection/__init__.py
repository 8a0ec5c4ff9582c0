"""The interface and cost of a module, for its host and for people."""
