"""The command `diff`: lists images that grew between two manifests."""

from __future__ import annotations

import argparse
import json

from ..formats.figures import compare, read_figures, table
from ..system.fs import read_bytes

_GREW = 1


def add_diff(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `diff` to a command line."""
    parser = commands.add_parser(
        "diff",
        help="list images that grew between two manifests",
        description="Compares the figures of two manifests, image by image.",
        epilog="exit status: 0 if no image that is in both manifests grew, 1 if one did, 2 on an error",
    )
    parser.add_argument("old", metavar="OLD.json", help="manifest of an earlier link, CRATE.spv.json")
    parser.add_argument("new", metavar="NEW.json", help="manifest of a later link")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_diff)


def _diff(arguments: argparse.Namespace) -> int:
    old, new = (read_figures(read_bytes(path, role="manifest"), path=path) for path in (arguments.old, arguments.new))
    changes = compare(old, new)
    print(json.dumps(changes.document(), indent=1) if arguments.json else table(changes).rstrip("\n"))
    return _GREW if changes.grew else 0
