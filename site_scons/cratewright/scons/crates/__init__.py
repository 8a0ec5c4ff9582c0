"""Declared crates: what they depend on, how they are linked, and what other builders take of them."""
