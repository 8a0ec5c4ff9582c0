"""`compile_commands.json`, from which editors and analysers learn how sources are compiled.

Each backend provides its commands.
Source: Clang's "JSON Compilation Database Format Specification".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...base.digest import value_digest
from ...base.errors import ConfigurationError
from ...system.fs import FileDigests, write_atomic
from ..crates.build import Build, build_of
from ..nodes.builders import stage_nodes
from ..nodes.paths import relative
from ..nodes.stage import Stage
from ..nodes.state import StageState
from ..SCons import entrance

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def compile_commands(env: Environment, file: str) -> list[Any]:
    """Return the node of the file, in a list; it covers all crates of all Environments, also those declared later."""
    build = build_of(env)
    try:
        target = env.File(file)
    except TypeError as error:
        raise ConfigurationError(f"{file} is a directory, but a file of that name is needed") from error

    @entrance
    def request() -> str:
        return value_digest(_rows(build))

    state = StageState(f"commands in {target}", digests=FileDigests(build.root), target=target.abspath, request=request)

    def run(targets: list[Any], sources: list[Any], jobs: int) -> None:
        write_atomic(target.abspath, (json.dumps(_rows(build), indent=1) + "\n").encode())
        state.update((), (relative(target),))

    return stage_nodes(env, "", [target], [], Stage(run, list, state))


def _rows(build: Build) -> list[dict[str, object]]:
    """Return a row for each source of each crate, in the order of declaration."""
    rows: list[dict[str, object]] = []
    for declared in list(build.crates.values()):
        crate = declared.crate
        if not crate.sources:
            continue
        backend = declared.engine.backend(crate.backend, crate.target)
        for source in crate.sources:
            command = backend.compile_command(source.location, source.options.only(backend.UNIT_OPTIONS))
            if command:
                rows.append({"directory": build.root, "file": source.location, "arguments": list(command)})
    return rows
