"""A crate's options as settings of Slang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cratewright import ConfigurationError, DebugInfo, Options, OptionSpec

if TYPE_CHECKING:
    from .libslang import Settings

_PROFILES = {
    **{"vulkan1.0": "spirv_1_0", "vulkan1.1": "spirv_1_3", "vulkan1.2": "spirv_1_5"},
    **dict.fromkeys(("vulkan1.3", "vulkan1.4"), "spirv_1_6"),
}
_FLOATING = {"default": 0, "fast": 1, "precise": 2}
_DEBUG = {DebugInfo.NONE: 0, DebugInfo.LINE: 1, DebugInfo.FULL: 2}

SLANG_OPTIONS = (
    OptionSpec.choice("matrix_layout", ("row", "column"), "matrix layout where the source does not say"),
    OptionSpec.choice("fp_mode", ("default", "fast", "precise"), "floating-point mode"),
    OptionSpec.choice("block_layout", ("default", "scalar", "gl"), "layout rules for blocks"),
    OptionSpec.flag("invert_y", "negate y of output positions"),
    OptionSpec.flag("dx_position_w", "read 1/w from positions, as in Direct3D"),
)
SHARED = frozenset(spec.name for spec in SLANG_OPTIONS)
"""Options of both the front end and the link: modules of one program must agree on them."""


def settings_of(
    options: Options, target: str, *, paths: tuple[str, ...] = (), macros: tuple[tuple[str, str], ...] = ()
) -> Settings:
    """Return the settings of a session for some options."""
    from . import structures as slang  # noqa: PLC0415 - ctypes is slow to import
    from .libslang import Settings  # noqa: PLC0415

    layout = options.text("block_layout")
    numbers = {
        slang.ENTRY_NAMES: 1,
        # SPIRV-Tools optimize the result, as the crate's options say.
        slang.OPTIMIZATION: 0,
        slang.DEBUG: _DEBUG[options.debuginfo],
        slang.SCALAR_LAYOUT: int(layout == "scalar"),
        slang.GL_LAYOUT: int(layout == "gl"),
        slang.INVERT_Y: int(options.flag("invert_y")),
        slang.POSITION_W: int(options.flag("dx_position_w")),
    }
    return Settings(
        profile=_PROFILES[target],
        paths=paths,
        macros=macros,
        columns=options.text("matrix_layout") == "column",
        floating=_FLOATING[options.text("fp_mode")],
        options=tuple((name, value) for name, value in numbers.items() if value or name == slang.OPTIMIZATION),
    )


def words_of(options: Options) -> str:
    """Return the options on which modules of one program must agree."""
    return " ".join(f"{name}={options[name]}" for name in sorted(SHARED))


def macros_of(options: Options) -> tuple[tuple[str, str], ...]:
    """Return macros as Slang takes them.

    Raises: ConfigurationError for one with several lines.
    """
    for name, value in options.defines:
        if value and ("\n" in value or "\r" in value):
            raise ConfigurationError(f"the macro '{name}' has more than one line", hint="use defines of one line")
    return tuple((name, "" if value is None else value) for name, value in options.defines)
