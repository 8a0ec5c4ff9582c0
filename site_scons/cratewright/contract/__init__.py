"""What a backend implements, and the edge where its results are checked."""
