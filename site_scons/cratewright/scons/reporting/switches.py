"""SCons's command-line options about progress.

Every Environment with crates offers them, even if there is nothing to do, so this module imports nothing of the
package.
"""

from __future__ import annotations

PROGRESS = "--crate-progress"
"""Shows progress although SCons is quiet; for programs that run SCons."""
NO_PROGRESS = "--no-progress"


def offer_options() -> None:
    """Add the options about progress to SCons, unless the project has one of the same name."""
    import SCons.Script.Main  # noqa: PLC0415 - only there when SCons runs as a program

    parser = SCons.Script.Main.OptionsParser
    for word in (NO_PROGRESS, PROGRESS):
        if word in getattr(parser, "largs", ()) and not parser.has_option(word):
            parser.add_local_option(word, dest=destination(word), action="store_true", default=False)


def destination(word: str) -> str:
    """Return the name under which SCons keeps an option."""
    return word.strip("-").replace("-", "_") + "_wanted"
