"""From a program to images: optimized, validated and described."""
