"""Whether crates that are executed read what others would make that are not, and that SCons has not visited so far."""

from __future__ import annotations

from contextlib import suppress

import SCons.Errors

from ...base.errors import CratewrightError
from ..crates.build import Build
from ..nodes.stage import stage_of

__all__ = ["reads_any"]


def reads_any(build: Build, paths: set[str]) -> bool:
    """Return whether a stage of these crates may read one of some files; a directory ends with a `/`.

    Shape: absolute paths. Call it once all SConscripts have been read. What is read is known if these crates make no
    texts, which may name anything once they are made; otherwise it counts as read.
    """
    targets = [crate.target for crate in build.crates.values() if crate.target is not None]
    if any(target.emitted for target in targets):
        return True
    with build.generated.promising(paths) as found:
        for target in targets:
            for node in (target.rlink, *target.results):
                stage = stage_of(node)
                if stage is not None:
                    with suppress(CratewrightError, SCons.Errors.UserError):  # the build reports the mistake
                        stage.before()
    return bool(found)
