"""What to compile, reuse, archive and link, and in which order.

It does not know SCons: values go in, bytes come out, and writing them is the last step.
"""
