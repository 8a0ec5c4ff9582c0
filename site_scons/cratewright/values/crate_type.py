"""Crate types: what a crate is linked into."""

from __future__ import annotations

from enum import Enum


class CrateType(Enum):
    """A crate type, with rustc's word and meaning."""

    BIN = "bin"
    RLIB = "rlib"
    DYLIB = "dylib"
    CDYLIB = "cdylib"
    STATICLIB = "staticlib"
    OBJECT = "object"
    """One module that can be linked again, with what it needs of other crates; rustc has none."""
