"""Runs SCons in this process, on the packaged SConstruct if a workspace has none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Errors
import SCons.Node.FS
import SCons.Script
import SCons.Script.Main

from ..base.errors import ConfigurationError, CratewrightError, near_miss
from ..base.values import dataclass
from .environment import generate
from .nodes.paths import original
from .nodes.stage import stage_of

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

SCONSTRUCT = Path(__file__).with_name("packaged") / "SConstruct"


@dataclass(slots=True)
class StandaloneBuild:
    """What to build of a workspace.

    Shape: `targets` are names of crates, or paths relative to `start`; all crates if empty. Other paths are
    absolute: `build_dir` is the directory of outputs, empty for the one of the workspace. `nodes` are the targets
    given to SCons.
    """

    workspace: str
    start: str
    targets: tuple[str, ...] = ()
    build_dir: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    nodes: list[Any] = field(default_factory=list)

    def files_read(self) -> list[str]:
        """Return the absolute paths of all files that the targets were made from, sorted."""
        found = {self.workspace}
        seen: set[Any] = set()
        todo = list(self.nodes)
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            stage = stage_of(node)
            if stage is not None:
                found.update(stage.state.files_read())
            elif isinstance(node, SCons.Node.FS.File) and not node.is_derived():
                found.add(str(original(node).rfile().abspath))
            todo += node.all_children()
        return sorted(found)

    def outputs(self) -> list[str]:
        """Return the absolute paths of the requested files, in order."""
        return [str(node.abspath) for node in self.nodes if isinstance(node, SCons.Node.FS.File)]

    def seen_from_start(self, paths: Sequence[str]) -> list[str]:
        """Return absolute paths relative to `start`."""
        return [os.path.relpath(path, self.start) for path in paths]


_current: StandaloneBuild | None = None


def run_scons(build: StandaloneBuild, words: Sequence[str]) -> int:
    """Run SCons on a workspace in this process, with further arguments, and return SCons's exit status."""
    global _current  # noqa: PLW0603 - SCons runs a file, which finds here what to build
    _current = build
    os.chdir(os.path.dirname(build.workspace))
    return scons_main(["-f", str(SCONSTRUCT), *words])


def scons_main(words: Sequence[str]) -> int:
    """Run SCons as its program does, with these arguments, and return its exit status; once in a process."""
    sys.argv = ["scons", *words]
    try:
        SCons.Script.Main.main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def declare(make: Callable[..., Environment]) -> None:
    """Declare the crates of the workspace, and the targets that SCons builds."""
    if _current is None:
        raise SCons.Errors.UserError("this SConstruct is for 'cratewright build'")
    try:
        _declare(make, _current)
    except (CratewrightError, SCons.Errors.UserError) as error:
        # SCons would name a line of this file, which is not the user's.
        print(f"cratewright: {error}", file=sys.stderr)
        sys.exit(2)


def _declare(make: Callable[..., Environment], build: StandaloneBuild) -> None:
    env = make(tools=[generate], **build.variables)
    directory = env.fs.Dir(os.path.dirname(build.workspace))
    if build.build_dir:
        variant = env.fs.Dir(build.build_dir)
        env.fs.VariantDir(variant, directory, duplicate=False)
        env.SConsignFile(os.path.join(build.build_dir, ".sconsign"))
        directory = variant
    crates = env.CrateWorkspace(directory.File(os.path.basename(build.workspace)))
    for word in build.targets or tuple(crates):
        build.nodes += crates[word] if word in crates else [_node(env, os.path.join(build.start, word), crates)]
    env.Default(build.nodes)


def _node(env: Environment, path: str, crates: Mapping[str, object]) -> Any:
    try:
        return env.fs.Entry(path, create=False)
    except SCons.Errors.UserError:
        name = os.path.basename(path)
        raise ConfigurationError(
            f"'{name}' is neither a crate of the workspace nor a file that one makes",
            hint=near_miss(name, list(crates)),
        ) from None
