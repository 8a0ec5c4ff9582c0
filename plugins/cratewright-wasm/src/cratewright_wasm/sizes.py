"""Sizes of memory as users write them, and the words that tell the linker.

Knows nothing of modules.
"""

from __future__ import annotations

import re

from cratewright import ConfigurationError, Options

__all__ = ["PAGE", "check_sizes", "memory_words"]

PAGE = 65536
_MOST = 1 << 32
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_WORDS = (("initial_memory", "--initial-memory"), ("max_memory", "--max-memory"))


def memory_words(options: Options) -> list[str]:
    """Return what the linker is told of memory and of what is left in the result."""
    words = [f"{word}={size}" for name, word in _WORDS if (size := _size(options, name, ""))]
    if stack := _size(options, "stack_size", ""):
        words += ["-z", f"stack-size={stack}"]
    words += ["--import-memory"] * options.flag("import_memory") + ["--export-table"] * options.flag("export_table")
    strip = options.text("strip")
    return words if strip == "none" else [*words, f"--strip-{strip}"]


def check_sizes(options: Options, *, where: str) -> None:
    """Refuse sizes that no memory can have.

    Raises: ConfigurationError.
    """
    stack = _size(options, "stack_size", where)
    initial, most = (_size(options, name, where) for name, _ in _WORDS)
    for name, size in (("initial_memory", initial), ("max_memory", most)):
        if size % PAGE:
            nearest = -(-size // PAGE) * PAGE
            raise _refusal(name, options, where, "memory comes in pages of 64 KiB", f"the next size is {nearest}")
    if stack % 16:
        raise _refusal("stack_size", options, where, "a stack is aligned to 16 bytes", f"use {-(-stack // 16) * 16}")
    if most and initial > most:
        raise _refusal("initial_memory", options, where, "it is more than max_memory", "raise max_memory")
    if stack and (initial or most) and stack > (initial or most):
        raise _refusal("stack_size", options, where, "the memory is smaller", "raise initial_memory")


def _size(options: Options, name: str, where: str) -> int:
    """Return a size in bytes, 0 for the linker's own."""
    text = options.text(name).strip()
    if not text:
        return 0
    match = re.fullmatch(r"([0-9]{1,10}) ?([KMG]?)(?:i?B)?", text)
    size = int(match[1]) * _UNITS[match[2]] if match else 0
    if match is None or not 0 < size <= _MOST:
        raise _refusal(name, options, where, "no size from 1 byte to 4 GiB", "such as 65536, 64K or 2M")
    return size


def _refusal(name: str, options: Options, where: str, reason: str, hint: str) -> ConfigurationError:
    context = (("where", where), ("reason", reason))
    return ConfigurationError(f"{name} cannot be '{options.text(name)}'", context=context, hint=hint)
