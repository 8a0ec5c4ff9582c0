"""Results that can be used again, and how to know that they may.

Knows nothing of what a result is: a value goes in and out whole.
"""
