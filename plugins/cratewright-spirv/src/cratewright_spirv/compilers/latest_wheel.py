"""The wheel with the newest glslang: whether it is installed, where, and which release.

Planning a build needs only this, and does not load the library.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

from cratewright import ToolError

from ..text.extensions import LATEST_EXTRA

HLSL_HINT = "set CRATE_GLSLANG=auto, which takes the other glslang for HLSL, or CRATE_GLSLANG=wheel"

_OLDEST, _BELOW = (0, 43, 1), (0, 44)
KNOWN_RELEASES = f"slangpy {'.'.join(map(str, _OLDEST))} to below {'.'.join(map(str, _BELOW))}"
"""The supported releases: the interfaces of their libraries are private."""


def latest_version() -> str:
    """Return the wheel's name and version.

    Raises: ToolError if it is missing or of an unknown release.
    """
    version = _installed()
    if version is None:
        raise ToolError(
            "CRATE_GLSLANG=latest: the newest glslang is not installed",
            context=(("looked for", "slangpy, which has it"),),
            hint=LATEST_EXTRA,
        )
    if not is_known_release(version):
        raise ToolError(
            f"CRATE_GLSLANG=latest: the glslang of slangpy {version} cannot be used",
            context=(("works with", KNOWN_RELEASES),),
            hint=LATEST_EXTRA,
        )
    return f"slangpy {version} ({library_path().stem})"


@cache
def _installed() -> str | None:
    """Return the version of slangpy, if it is installed with its glslang."""
    if _found() is None:
        return None
    from importlib import metadata  # noqa: PLC0415 - slow to import

    try:
        return metadata.version("slangpy")
    except metadata.PackageNotFoundError:
        return None


def usable_latest() -> bool:
    """Return whether the newest glslang is installed, in a supported release."""
    version = _installed()
    return version is not None and is_known_release(version)


def is_known_release(version: str) -> bool:
    """Return whether the libraries of a release have supported interfaces."""
    numbers = tuple(int(word) for word in re.findall(r"\d+", version)[:3])
    return _OLDEST <= numbers < _BELOW


@cache
def _found() -> Path | None:
    return library_in_slangpy("libslang-glslang-*.so", "libslang-glslang-*.dylib", "slang-glslang-*.dll")


def library_in_slangpy(*patterns: str) -> Path | None:
    """Return a library of the wheel, without loading the Python package it belongs to."""
    for place in filter(None, sys.path):
        for pattern in patterns:
            if names := sorted(Path(place, "slangpy").glob(pattern)):
                return names[-1]
    return None


def library_path() -> Path:
    """Return the library.

    Raises: ToolError if there is none.
    """
    found = _found()
    if found is None:
        raise ToolError("the newest glslang is not installed", hint=LATEST_EXTRA)
    return found
