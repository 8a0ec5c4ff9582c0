"""The command `report`: converts a build's events to a report."""

from __future__ import annotations

import argparse
import sys

from ..report import REPORT_FORMATS
from ..system.fs import read_bytes, write_atomic


def add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report` to a command line."""
    parser = commands.add_parser("report", help="convert the events of a build to a report")
    parser.add_argument("file", metavar="EVENTS", help="file written with CRATE_EVENTS=EVENTS")
    parser.add_argument("--format", choices=REPORT_FORMATS, required=True, help="report format")
    parser.add_argument("-o", "--output", metavar="FILE", help="output file (default: standard output)")
    parser.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    from ..report import report_text  # noqa: PLC0415 - only this command needs them
    from ..report.recording import read_recording  # noqa: PLC0415

    recording = read_recording(read_bytes(arguments.file, role="events"), path=arguments.file)
    text = report_text(recording, arguments.format).encode("utf-8", "backslashreplace")
    if arguments.output:
        write_atomic(arguments.output, text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text)
