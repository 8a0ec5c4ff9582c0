"""Modules of several units to one program."""
