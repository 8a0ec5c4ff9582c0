"""A program to images: optimized, validated and told of."""
