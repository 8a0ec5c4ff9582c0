"""SPIR-V as words and instructions, and what can be told of them."""
