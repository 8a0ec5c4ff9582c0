"""What options ask of a crate, and what is told of the images made of it."""
