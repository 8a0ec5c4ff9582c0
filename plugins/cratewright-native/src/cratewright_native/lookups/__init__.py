"""What a program reads, and where it looks and finds nothing."""
