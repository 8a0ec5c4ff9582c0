"""What a backend implements, and the edge where each of its answers is checked."""
