"""The optimizer passes for an image."""

from __future__ import annotations

from cratewright import DebugInfo, Options, OptLevel

__all__ = ["passes_for"]


def passes_for(options: Options) -> list[str]:
    """Return the passes that the options call for, as `spirv-opt` spells them; none if it need not run.

    Source: rust-gpu, which also drops debug names and dead constants where no debug information is asked for.
    """
    passes: list[str] = []
    level, debuginfo = options.opt_level, options.debuginfo
    if level is not OptLevel.NONE:
        passes.append("-Os" if level.for_size else "-O")
    if debuginfo is DebugInfo.NONE and options.text("spirv_metadata") == "none":
        # In this order: the second then has less to do.
        passes += ["--strip-debug", "--eliminate-dead-const"]
    if level is not OptLevel.NONE:
        passes.append("--trim-capabilities")
        if not options.flag("preserve_bindings"):
            passes.append("--remove-unused-interface-variables")
    return [*passes, "--compact-ids"] if passes else []
