"""What is said of crates and links, as frozen values."""
