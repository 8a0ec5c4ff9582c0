"""What the methods `Crate` and `CrateProfile` of an Environment do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..plugins.loading import default_registry
from ..values.options import BUILTIN_PROFILES, resolve_profile
from .at_exit.unvisited import reads_any
from .at_exit.write_record import record_at_exit
from .crates.build import build_of
from .declaring.targets import declare_for_targets
from .last_build.call_recorder import CallRecorder, recorder_of
from .nodes.crate_target import CrateTarget
from .options.own_variables import with_own_variables

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


def profile(env: Environment, name: str, inherits: str, options: Mapping[str, object]) -> None:
    """Declare a profile."""
    profiles = {**env["CRATE_PROFILES"], name: {"inherits": inherits, **options}}
    env["CRATE_PROFILES"] = profiles
    resolve_profile(name, {**BUILTIN_PROFILES, **default_registry().profiles, **profiles})


def crate(
    env: Environment, name: str, sources: object, deps: object, crate_type: object, options: Mapping[str, object]
) -> CrateTarget:
    """Declare a crate and return its target."""
    recorder = recorder_of(env)
    if recorder.when_recordable is None:
        recorder.when_recordable, recorder.reads_any = _at_end_of_reading(env)
    env, rest = with_own_variables(env, options, where=f"crate '{name}'")
    return declare_for_targets(env, name, rest, sources, deps, crate_type)


def _at_end_of_reading(
    env: Environment,
) -> tuple[Callable[[CallRecorder], None], Callable[[CallRecorder, set[str]], bool]]:
    """Return what `CallRecorder` calls once all SConscripts have been read."""
    build, fs = build_of(env), env.fs

    def use_links(recorder: CallRecorder) -> None:
        build.links.known = recorder.partial.links() if recorder.partial is not None else {}

    def when_recordable(recorder: CallRecorder) -> None:
        use_links(recorder)
        record_at_exit(build, recorder, fs)

    def reads(recorder: CallRecorder, paths: set[str]) -> bool:
        use_links(recorder)
        return reads_any(build, paths)

    return when_recordable, reads
