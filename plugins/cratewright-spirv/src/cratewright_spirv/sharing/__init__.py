"""For backends whose images are SPIR-V too, but whose sources another compiler compiles and links.

It makes one complete module of each entry point (`linking`), which is then handled like shaders of this package:
optimized, split, validated, described and embedded.
"""

from __future__ import annotations

from ..backend import SpirvBackend
from ..base.names import ImageEntry, entries_of
from ..base.stages import STAGES
from ..compilers.latest_wheel import KNOWN_RELEASES, is_known_release, library_in_slangpy

__all__ = [
    "KNOWN_RELEASES",
    "STAGES",
    "ImageEntry",
    "SpirvBackend",
    "entries_of",
    "is_known_release",
    "library_in_slangpy",
]
