"""SPIR-V as words and instructions, and what they show."""
