"""Capabilities that a backend may declare."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """An ability beyond compiling and linking; planning refuses to use one that a backend does not declare."""

    FAT_LTO = "fat-lto"
    THIN_LTO = "thin-lto"
    DYNAMIC_LINKAGE = "dynamic-linkage"
    ALLOCATOR = "allocator"
    NATIVE_LIBRARIES = "native-libraries"
    WHOLE_CRATES = "whole-crates"
    VARIANTS = "variants"
    LIBRARY_VARIANTS = "library-variants"
