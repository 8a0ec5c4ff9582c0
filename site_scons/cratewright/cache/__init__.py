"""Results kept for reuse, and the checks before they are reused."""
