"""The compiler and the linker: which programs, which versions, and how they are run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from cratewright import (
    Finished,
    Session,
    ToolError,
    content_digest,
    dataclass,
    exit_reason,
    programs_digest,
    run_program,
)

FREESTANDING = "wasm32-unknown-unknown"
WASI = "wasm32-wasi"
TARGETS = (FREESTANDING, WASI)

_SETTING = "CRATE_WASM_CLANG"
_OLDEST, _NEWEST = 16, 23
_LTO_SINCE = 20
"""The first wasm-ld that writes the plan of thin LTO (--thinlto-index-only)."""
_KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class WasmToolchain:
    """A clang and a wasm-ld of one version, and how a session uses them.

    Shape: `clang` and `linker` begin a command; `zig` is the program that contains both, if one does, and `own` then
    its directory of headers and libraries, which change only with `version`.
    """

    session: Session
    clang: tuple[str, ...]
    linker: tuple[str, ...]
    version: str
    digest: str
    zig: str = ""
    own: str = ""

    @property
    def plans_lto(self) -> bool:
        """Whether the linker can plan link-time optimization."""
        return int(self.version.partition(".")[0]) >= _LTO_SINCE

    @property
    def text(self) -> str:
        """Its part of the fingerprint."""
        return f"{'zig' if self.zig else 'llvm'} {self.version} {self.digest}"

    def triple(self, target: str) -> str:
        """Return clang's name of a target: zig's names the version of WASI, and warns without it."""
        return "wasm32-wasip1" if target == WASI and self.zig else target

    def run(self, argv: Sequence[str], *, what: str, cwd: str | Path = "") -> Finished:
        """Run one of the programs to its end, in the project root or another directory.

        Raises: ToolError if it cannot be started, crashes or takes too long.
        """
        # Other variables would alter the output.
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        session = self.session
        return _run(argv, what=what, cwd=cwd or session.root, timeout=session.timeout, env={"LC_ALL": "C", **kept})


def _run(argv: Sequence[str], *, what: str, cwd: str | Path | None, timeout: float, env: Mapping[str, str]) -> Finished:
    try:
        done = run_program(argv, what=what, cwd=cwd, env=env, timeout=timeout)
    except OSError as error:
        raise ToolError(
            f"cannot run {argv[0]}: {error.strerror}", context=(("for", what),), hint=f"see {_SETTING}"
        ) from error
    if done.status < 0:
        output = done.stderr.decode(errors="replace").strip().splitlines()[-5:]
        raise ToolError(
            f"{os.path.basename(argv[0])} was ended by {exit_reason(done.status)}",
            context=(("for", what), *((("output", "\n".join(output)),) if output else ())),
        )
    return done


def find_toolchain(session: Session) -> WasmToolchain:
    """Return the toolchain that the setting names, else the one in the `ziglang` wheel, else the newest clang with its
    wasm-ld.

    Raises: ToolError if there is none, or if what the setting names cannot be used.
    """
    wanted = session.setting(_SETTING)
    if wanted == "zig":
        zig = _bundled_zig() or shutil.which("zig") or ""
        if not zig:
            raise ToolError(f"{_SETTING}=zig, but zig is not installed", hint="pip install 'cratewright-wasm[zig]'")
        return _zig(zig, session)
    if wanted:
        clang = shutil.which(os.path.join(session.root, wanted) if os.path.dirname(wanted) else wanted)
        if clang is None:
            raise ToolError(f"{_SETTING}: cannot find '{wanted}'", hint="name a clang, or zig")
        return _llvm(clang, session)
    if zig := _bundled_zig():
        return _zig(zig, session)
    for clang in _clangs():
        try:
            return _llvm(clang, session)
        except ToolError:
            continue
    raise ToolError(
        "no compiler for WebAssembly",
        context=(("looked for", f"the ziglang wheel, and clang with a wasm-ld of its version, {_OLDEST} or newer"),),
        hint="pip install 'cratewright-wasm[zig]', or install clang and lld",
    )


def _bundled_zig() -> str:
    found = find_spec("ziglang")
    candidates = found.submodule_search_locations if found is not None else None
    return (shutil.which("zig", path=next(iter(candidates))) or "") if candidates else ""


def _clangs() -> Iterator[str]:
    names = [f"clang-{major}" for major in range(_NEWEST, _OLDEST - 1, -1)]
    return filter(None, map(shutil.which, [*names, "clang"]))


def _zig(program: str, session: Session) -> WasmToolchain:
    from importlib.metadata import version  # noqa: PLC0415 - slow to import

    output = _version((program, "clang"), session)
    wheel = f" ziglang {version('ziglang')}" if program == _bundled_zig() else ""
    return WasmToolchain(
        session=session,
        clang=(program, "clang"),
        linker=(program, "wasm-ld"),
        version=output,
        digest=content_digest(f"{programs_digest((program,))}{wheel}".encode())[:16],
        zig=program,
        own=os.path.join(os.path.dirname(os.path.realpath(program)), "lib"),
    )


def _llvm(clang: str, session: Session) -> WasmToolchain:
    output = _version((clang,), session)
    major = output.partition(".")[0]
    folders = (os.path.dirname(path) for path in (clang, os.path.realpath(clang)))
    names = (f"wasm-ld-{major}", "wasm-ld")
    candidates = [*(os.path.join(directory, name) for directory in folders for name in names), *names]
    for linker in filter(None, map(shutil.which, candidates)):
        if _version((linker,), session).partition(".")[0] == major:
            digest = programs_digest((clang, linker))[:16]
            return WasmToolchain(session=session, clang=(clang,), linker=(linker,), version=output, digest=digest)
    raise ToolError(
        f"{clang} has no wasm-ld of its version",
        context=(("version", output), ("looked for", " or ".join(names))),
        hint=f"install lld {major}",
    )


_VERSION = re.compile(r"(?:clang version|LLD) (\d+\.\d+\.\d+)")


def _version(command: tuple[str, ...], session: Session) -> str:
    environ = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "")}
    done = _run((*command, "--version"), what="its version", cwd=None, timeout=min(30, session.timeout), env=environ)
    found = _VERSION.search(done.stdout.decode(errors="replace"))
    if done.status or found is None:
        raise ToolError(
            f"{' '.join(command)} is not a clang or wasm-ld: it does not print its version",
            context=(("output", (done.stdout + done.stderr).decode(errors="replace")[:200].strip()),),
            hint=f"see {_SETTING}",
        )
    return found[1]
