"""Transformations of SPIR-V modules, one in each module of this package."""
