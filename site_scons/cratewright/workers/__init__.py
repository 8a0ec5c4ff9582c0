"""The processes in which backends run."""
