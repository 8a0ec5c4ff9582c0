"""Which passes of the optimiser an image gets."""

from __future__ import annotations

from cratewright import DebugInfo, Options, OptLevel

__all__ = ["passes_for"]

# What SPIRV-Tools 2025.5 means by -O and -Os, but for inlining: with full debug information its inliner puts
# variables where none may stand, and leaves declarations of variables that are gone.
_SPEED_WITHOUT_INLINING = """
    wrap-opkill eliminate-dead-branches merge-return eliminate-dead-functions eliminate-dead-code-aggressive
    private-to-local eliminate-local-single-block eliminate-local-single-store eliminate-dead-code-aggressive
    scalar-replacement=0 convert-local-access-chains eliminate-local-single-block eliminate-local-single-store
    eliminate-dead-code-aggressive ssa-rewrite eliminate-dead-code-aggressive ccp
    eliminate-dead-code-aggressive loop-unroll eliminate-dead-branches redundancy-elimination
    combine-access-chains simplify-instructions scalar-replacement=0 convert-local-access-chains
    eliminate-local-single-block eliminate-local-single-store eliminate-dead-code-aggressive ssa-rewrite
    eliminate-dead-code-aggressive vector-dce eliminate-dead-inserts eliminate-dead-branches
    simplify-instructions if-conversion copy-propagate-arrays reduce-load-size eliminate-dead-code-aggressive
    merge-blocks redundancy-elimination eliminate-dead-branches merge-blocks simplify-instructions
"""
_SIZE_WITHOUT_INLINING = """
    wrap-opkill eliminate-dead-branches merge-return eliminate-dead-functions private-to-local
    scalar-replacement=0 ssa-rewrite ccp loop-unroll eliminate-dead-branches simplify-instructions
    scalar-replacement=0 eliminate-local-single-store if-conversion simplify-instructions
    eliminate-dead-code-aggressive eliminate-dead-branches merge-blocks convert-local-access-chains
    eliminate-local-single-block eliminate-dead-code-aggressive copy-propagate-arrays vector-dce
    eliminate-dead-inserts eliminate-dead-members eliminate-local-single-store merge-blocks ssa-rewrite
    redundancy-elimination simplify-instructions eliminate-dead-code-aggressive cfg-cleanup
"""


def passes_for(options: Options) -> list[str]:
    """Return the passes that the options call for, as `spirv-opt` spells them; none if it need not run.

    Source: rust-gpu, which also drops debug names and dead constants where no debug information is asked for.
    """
    passes: list[str] = []
    level, debuginfo = options.opt_level, options.debuginfo
    if level is not OptLevel.NONE:
        if debuginfo is DebugInfo.FULL:
            words = _SIZE_WITHOUT_INLINING if level.for_size else _SPEED_WITHOUT_INLINING
            passes += [f"--{word}" for word in words.split()]
        else:
            passes.append("-Os" if level.for_size else "-O")
    if debuginfo is DebugInfo.NONE and options.text("spirv_metadata") == "none":
        # In this order: the second has less to look through.
        passes += ["--strip-debug", "--eliminate-dead-const"]
    if level is not OptLevel.NONE:
        passes.append("--trim-capabilities")
        if not options.flag("preserve_bindings"):
            passes.append("--remove-unused-interface-variables")
    return [*passes, "--compact-ids"] if passes else []
