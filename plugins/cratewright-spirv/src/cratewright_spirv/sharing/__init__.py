"""What a backend shares whose images are SPIR-V too, but whose sources another compiler compiles and links.

It makes a module of each entry point with all that it needs (`linking`), and from there on all is as with shaders of
this package: optimized, split, validated, told of and embedded.
"""

from __future__ import annotations

from ..backend import SpirvBackend
from ..base.names import ImageEntry, entries_of
from ..base.stages import STAGES
from ..compilers.latest_wheel import KNOWN_RELEASES, is_known_release

__all__ = ["KNOWN_RELEASES", "STAGE_SUFFIXES", "ImageEntry", "SpirvBackend", "entries_of", "is_known_release"]

STAGE_SUFFIXES = tuple(stage.suffix for stage in STAGES)
"""Those of files that hold the entry point of a stage."""
