"""The SPIRV-Tools in the newest glslang, for modules that the others cannot read.

Their interface has no options: they validate by the rules of Vulkan 1.3 with scalar block layouts, optimize like `-O`,
and leave names and capabilities alone.
"""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Sequence

from ..base.redirection import redirected
from ..compilers.glslang_latest import library_function, run_action
from ..transforms.repairs import without_names
from .results import TIDYING, ToolMessage, ToolResult, tool_errors

_DISASSEMBLE, _OPTIMIZE = 1, 2
_NO_PASSES, _SPEED = 0, 2


class _LinkRequest(ctypes.Structure):
    _fields_ = (
        ("modules", ctypes.POINTER(ctypes.c_void_p)),
        ("sizes", ctypes.POINTER(ctypes.c_uint32)),
        ("count", ctypes.c_int),
        ("result", ctypes.c_void_p),
        ("words", ctypes.c_size_t),
    )


class NewestTools:
    """The operations that the library has."""

    def link(self, modules: Sequence[bytes]) -> ToolResult:
        """Link modules to one that imports and exports nothing, of the highest version among them."""
        count = len(modules)
        held = [ctypes.create_string_buffer(module, len(module)) for module in modules]
        request = _LinkRequest(
            (ctypes.c_void_p * count)(*map(ctypes.addressof, held)),
            (ctypes.c_uint32 * count)(*(len(module) // 4 for module in modules)),
            count,
        )
        link = library_function("linkSPIRV", ctypes.c_bool, ctypes.POINTER(_LinkRequest))
        linked, printed = _printed(lambda: link(ctypes.byref(request)))
        if not linked or not request.result:
            return ToolResult(None, tool_errors(printed))
        return ToolResult(ctypes.string_at(request.result, request.words * 4))

    def validate(self, module: bytes) -> ToolResult:
        """Check a module by the rules of Vulkan 1.3."""
        check = library_function("validateSPIRV", ctypes.c_bool, ctypes.c_char_p, ctypes.c_int)
        valid, printed = _printed(lambda: check(module, len(module) // 4))
        return ToolResult(b"") if valid else ToolResult(None, tool_errors(printed))

    def optimize(self, module: bytes, passes: Sequence[str]) -> ToolResult:
        """Run the passes of `-O`, and remove names; everything else is refused."""
        missing = [name for name in passes if name not in TIDYING | {"-O", "--strip-debug"}]
        if missing:
            wanted = missing[0] if len(missing) == 1 else f"{missing[0]} and {len(missing) - 1} more"
            text = f"the newest SPIRV-Tools offer only -O, not {wanted}: set opt_level=3, or spirv_opt=False"
            return ToolResult(None, (ToolMessage(text),))
        level = _SPEED if "-O" in passes else _NO_PASSES
        data, log = run_action(module, _OPTIMIZE, level)
        if not data:
            return ToolResult(None, tool_errors(log))
        return ToolResult(without_names(data) if "--strip-debug" in passes else data)

    def disassemble(self, module: bytes) -> ToolResult:
        """Return the text of a module."""
        data, log = run_action(module, _DISASSEMBLE, _NO_PASSES)
        return ToolResult(data) if data else ToolResult(None, tool_errors(log))


def _printed(call: Callable[[], bool]) -> tuple[bool, bytes]:
    """Return a function's result and what it prints, which is how these functions report errors."""
    with tempfile.TemporaryFile() as printed:
        with redirected(printed.fileno(), 2):
            given = call()
        printed.seek(0)
        return given, printed.read()
