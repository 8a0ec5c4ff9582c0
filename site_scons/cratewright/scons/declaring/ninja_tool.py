"""SCons's ninja tool, which lets ninja decide what to build, without crates.

ninja knows neither the sources of a crate nor what they include, so after the first build it would build none again.
"""

from __future__ import annotations

import sys

from ...base.errors import UnsupportedError


def check_no_ninja(*, where: str) -> None:
    """Refuse a crate if ninja decides what is built.

    Raises: UnsupportedError.
    """
    tool = sys.modules.get("SCons.Tool.ninja_tool")
    if tool is not None and tool.NINJA_STATE is not None:
        raise UnsupportedError(
            "SCons's ninja tool cannot build crates: ninja does not know what they read",
            context=(("where", where),),
            hint="without the option experimental=ninja the tool does nothing, and SCons builds",
        )
