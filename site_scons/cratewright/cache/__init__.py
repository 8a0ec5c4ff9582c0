"""Results that can be used again, and how to know that they may.

A value goes in and out whole.
"""
