"""The command `build`: builds a workspace in TOML without an SConstruct."""

from __future__ import annotations

import argparse
import os

from ..base.errors import ConfigurationError
from ..formats.depfile import encode_depfile
from ..system.fs import write_atomic

_SCONSTRUCTS = ("SConstruct", "Sconstruct", "sconstruct", "SConstruct.py", "Sconstruct.py", "sconstruct.py")
WORKSPACE = "crates.toml"


def add_build(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `build` to a command line."""
    parser = commands.add_parser(
        "build",
        help="build a workspace that has no SConstruct",
        description="Runs SCons on a workspace in TOML. Arguments after -- are passed on to SCons.",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[FILE.toml] [TARGET...]",
        help=f"workspace and targets (default: everything in {WORKSPACE})",
    )
    parser.add_argument(
        "-j", "--jobs", type=job_count, metavar="N", help="number of parallel jobs (default: number of processors)"
    )
    parser.add_argument(
        "--profile", metavar="PROFILE", help="profile of crates that set none (default: CRATE_PROFILE, dev)"
    )
    parser.add_argument(
        "--target", metavar="TARGET", help="target of crates that set none (default: the backend's first)"
    )
    parser.add_argument("--backend", metavar="BACKEND", help="backend of crates that set none")
    parser.add_argument("--build-dir", metavar="DIR", help="output directory (default: beside FILE.toml)")
    parser.add_argument("--no-progress", action="store_true", help="do not show progress")
    parser.add_argument("--depfile", metavar="FILE", help="write a Make rule that lists all files that were read")
    parser.add_argument("--depfile-target", metavar="NAME", help="target of that rule (default: the first output)")
    parser.set_defaults(run=build_workspace, passes=True)


def is_scons_project() -> bool:
    """Return whether the current directory holds an SConstruct, not only a workspace.

    Raises: ConfigurationError if it holds neither.
    """
    if any(map(os.path.isfile, _SCONSTRUCTS)):
        return True
    if not os.path.isfile(WORKSPACE):
        raise ConfigurationError(
            f"there is neither an SConstruct nor a {WORKSPACE} here",
            hint="change to the directory that holds one, or write one with 'cratewright init'",
        )
    return False


def job_count(text: str) -> int:
    """Return a number of parallel jobs.

    Raises: argparse.ArgumentTypeError unless it is at least 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"takes a number of jobs, at least 1, not '{text}'")
    return int(text)


def build_workspace(arguments: argparse.Namespace) -> int:
    """Build what the command line asks for; SCons's status of a failed build becomes 2.

    Raises: ConfigurationError if there is no workspace; OutputError if the dependency file cannot be written.
    """
    from ..scons.reporting.switches import PROGRESS  # noqa: PLC0415 - the other commands need no SCons
    from ..scons.standalone import StandaloneBuild, run_scons  # noqa: PLC0415

    words = arguments.words
    workspace, targets = (words[0], words[1:]) if words and words[0].endswith(".toml") else (WORKSPACE, words)
    if not os.path.isfile(workspace):
        raise ConfigurationError(
            f"{workspace}: no such workspace",
            hint="name a file that ends in .toml, or write one with 'cratewright init'",
        )
    if arguments.depfile_target and not arguments.depfile:
        raise ConfigurationError("--depfile-target names the target of --depfile, which is missing")
    build_dir = os.path.abspath(arguments.build_dir) if arguments.build_dir else ""
    if os.path.lexists(build_dir) and not os.path.isdir(build_dir):
        raise ConfigurationError(f"--build-dir {arguments.build_dir}: this is not a directory")
    wanted = StandaloneBuild(
        workspace=os.path.abspath(workspace),
        targets=tuple(targets),
        start=os.getcwd(),
        build_dir=build_dir,
        variables=_variables(arguments, build_dir),
    )
    shown = [] if arguments.no_progress or "-Q" in arguments.passed else [PROGRESS]
    status = run_scons(wanted, ["-Q", *shown, f"-j{arguments.jobs or processors()}", *arguments.passed])
    if status == 0 and arguments.depfile:
        target = arguments.depfile_target or wanted.seen_from_start(wanted.outputs()[:1])[0]
        path = os.path.join(wanted.start, arguments.depfile)
        write_atomic(path, encode_depfile(target, wanted.seen_from_start(wanted.files_read())))
    return 2 if status else 0


def _variables(arguments: argparse.Namespace, build_dir: str) -> dict[str, str]:
    """Return the construction variables: the command line's words, then the process environment's."""
    given = {"BACKEND": arguments.backend, "TARGET": arguments.target, "PROFILE": arguments.profile}
    named = {f"CRATE_{name}": value or os.environ.get(f"CRATE_{name}", "") for name, value in given.items()}
    variables = {name: value for name, value in named.items() if value}
    if build_dir and not os.environ.get("CRATE_CACHE"):
        from ..pipeline.cache_settings import one_a_line  # noqa: PLC0415 - only this case needs it

        # The source directory may be read-only, and must stay as it is.
        variables["CRATE_CACHE"] = one_a_line([os.path.join(build_dir, ".crate-cache")])
    return variables


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
