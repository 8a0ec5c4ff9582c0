"""A program to images: optimized, validated and described."""
