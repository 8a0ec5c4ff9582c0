"""A crate's options, and the description of its images."""
