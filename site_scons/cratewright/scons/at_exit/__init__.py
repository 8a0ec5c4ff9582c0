"""What is written when SCons ends, for the next build."""
