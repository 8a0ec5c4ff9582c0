"""The order of work: what is compiled, reused, archived and linked.

Knows nothing of SCons. Everything here is driven by values and gives bytes; writing them is the last step.
"""
