"""SPIR-V as words and instructions, and analyses of them."""
