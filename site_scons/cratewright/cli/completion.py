"""The command `completion`: prints a shell's completion script."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..base.errors import ConfigurationError


def add_completion(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parser: Callable[[], argparse.ArgumentParser]
) -> None:
    """Add `completion` to a command line; `parser` returns the parser of all of it."""
    added = commands.add_parser(
        "completion",
        help="print a completion script for a shell",
        description='For bash, add this line to ~/.bashrc: eval "$(cratewright completion bash)"',
    )
    added.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")
    added.set_defaults(run=lambda arguments: _completion(arguments.shell, parser()))


def _completion(shell: str, parser: argparse.ArgumentParser) -> None:
    try:
        import shtab  # noqa: PLC0415 - of an extra, and only this command needs it
    except ImportError as error:
        raise ConfigurationError("completion needs shtab", hint="pip install 'cratewright[completion]'") from error
    print(shtab.complete(parser, shell))
