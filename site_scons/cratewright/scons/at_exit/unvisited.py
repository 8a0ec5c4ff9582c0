"""Whether declared crates read what crates would make that are not declared, and that SCons has not visited yet."""

from __future__ import annotations

from contextlib import suppress

import SCons.Errors

from ...base.errors import CratewrightError
from ..crates.build import Build
from ..nodes.stage import stage_of


def reads_any(build: Build, paths: set[str]) -> bool:
    """Return whether a stage of these crates may read one of some files.

    Crates that make texts may always do so: these may name any file.
    Shape: absolute paths, those of directories with a trailing `/`.
    Called: once all SConscripts have been read.
    """
    targets = [crate.target for crate in build.crates.values() if crate.target is not None]
    if any(target.emitted for target in targets):
        return True
    with build.generated.finding_undeclared(paths) as found:
        for target in targets:
            for node in (target.rlink, *target.results):
                stage = stage_of(node)
                if stage is not None:
                    with suppress(CratewrightError, SCons.Errors.UserError):  # the build reports the mistake
                        stage.before()
    return bool(found)
