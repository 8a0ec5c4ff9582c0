"""Memory sizes: which combinations are valid, and the linker's arguments for them."""

from __future__ import annotations

from cratewright import ConfigurationError, Options

PAGE = 65536
MAX_MEMORY = 1 << 32
_WORDS = (("initial_memory", "--initial-memory"), ("max_memory", "--max-memory"))


def memory_words(options: Options) -> list[str]:
    """Return the linker's arguments for memory and stripping."""
    words = [f"{word}={size}" for name, word in _WORDS if (size := options.number(name))]
    if stack := options.number("stack_size"):
        words += ["-z", f"stack-size={stack}"]
    words += ["--import-memory"] * options.flag("import_memory") + ["--export-table"] * options.flag("export_table")
    strip = options.text("strip")
    return words if strip == "none" else [*words, f"--strip-{strip}"]


def check_sizes(options: Options, *, where: str) -> None:
    """Refuse inconsistent sizes.

    Raises: ConfigurationError.
    """
    stack = options.number("stack_size")
    initial, most = (options.number(name) for name, _ in _WORDS)
    if initial and most and initial > most:
        raise _refusal("initial_memory", initial, where, "it is larger than max_memory", "raise max_memory")
    memory = initial or most
    if stack and memory and stack > memory:
        raise _refusal("stack_size", stack, where, "the memory is smaller", "raise initial_memory")


def _refusal(name: str, size: int, where: str, reason: str, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{name} cannot be {size}", context=(("where", where), ("reason", reason)), hint=hint)
