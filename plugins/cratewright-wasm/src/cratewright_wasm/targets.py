"""The targets and their C libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cratewright import CrateType, Observed, ToolError, dataclass, digest_file, scratch_directory

from .toolchain import WASI, WasmToolchain

_SETTING = "CRATE_WASI_SYSROOT"


@dataclass(frozen=True, slots=True, kw_only=True)
class CLibrary:
    """The C library's part of a link.

    Shape: `first` are the start objects, `last` archives; `observed` are the files read, and the missing paths.
    """

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    observed: tuple[Observed, ...] = ()


def include_words(toolchain: WasmToolchain, target: str) -> tuple[str, ...]:
    """Return clang's arguments for the headers of the compiler and the C library."""
    if not toolchain.zig:
        return ("--sysroot", _sysroot(toolchain)) if target == WASI else ()
    directories = ["include"]
    if target == WASI:
        # In the order in which `zig cc` searches them.
        directories += [f"libc/include/{name}" for name in ("wasm-wasi-musl", "generic-musl")]
    return (
        "-nostdinc",
        *(word for directory in directories for word in ("-isystem", os.path.join(toolchain.own, directory))),
    )


def find_library(toolchain: WasmToolchain, target: str, crate_type: CrateType) -> CLibrary:
    """Return what a crate of some type is linked with.

    Raises: ToolError if it is missing.
    """
    if target != WASI:
        return CLibrary()
    start = "crt1-command.o" if crate_type is CrateType.BIN else "crt1-reactor.o"
    return _of_zig(toolchain, start) if toolchain.zig else _of_sysroot(toolchain, start)


def _sysroot(toolchain: WasmToolchain) -> str:
    session = toolchain.session
    wanted = session.setting(_SETTING)
    for directory in [os.path.join(session.root, wanted)] if wanted else ["/usr", "/opt/wasi-sdk/share/wasi-sysroot"]:
        if os.path.isfile(os.path.join(directory, "lib", WASI, "libc.a")):
            return directory
    raise ToolError(
        f"{wanted or 'this machine'} has no C library for {WASI}",
        context=(("looked for", f"lib/{WASI}/libc.a"), ("compiler", f"clang {toolchain.version}")),
        hint=f"install wasi-libc, name its directory in {_SETTING}, or use CRATE_WASM_CLANG=zig",
    )


def _of_sysroot(toolchain: WasmToolchain, start: str) -> CLibrary:
    directory = os.path.join(_sysroot(toolchain), "lib", WASI)
    argv = (*toolchain.clang, f"--target={WASI}", "-print-resource-dir")
    done = toolchain.run(argv, what="its own directory")
    resources = done.stdout.decode(errors="surrogateescape").strip()
    observed: dict[str, Observed] = {}
    builtins = ("lib/wasi/libclang_rt.builtins-wasm32.a", "lib/wasm32-unknown-wasi/libclang_rt.builtins.a")
    found = _first((os.path.join(resources, name) for name in builtins), observed)
    needed = [os.path.join(directory, name) for name in (start, "libc.a")]
    for path in needed:
        observed[path] = Observed(path, digest_file(path))
        if observed[path].digest is None:
            raise ToolError(f"{path} is missing", hint=f"install all of wasi-libc, or name another in {_SETTING}")
    last = (needed[1], *((found,) if found else ()))
    return CLibrary(first=(needed[0],), last=last, observed=tuple(observed.values()))


def _first(directories: Iterator[str], observed: dict[str, Observed]) -> str:
    for path in directories:
        digest = digest_file(path)
        observed[path] = Observed(path, digest)
        if digest is not None:
            return path
    return ""


def _of_zig(toolchain: WasmToolchain, start: str) -> CLibrary:
    """Ask zig where it keeps the C library, which it builds the first time."""
    with scratch_directory() as scratch:
        (scratch / "empty.c").write_text("int main(void) { return 0; }\n", encoding="ascii")
        model = () if start == "crt1-command.o" else ("-mexec-model=reactor",)
        argv = (toolchain.zig, "cc", "-target", WASI, *model, "empty.c", "-o", "empty.wasm", "-v")
        done = toolchain.run(argv, what=f"the C library for {WASI}", cwd=scratch)
        lines = done.stderr.decode(errors="surrogateescape").splitlines()
        lines += done.stdout.decode(errors="surrogateescape").splitlines()
        words = next((line.split(" ") for line in lines if line.startswith("wasm-ld ")), [])
        paths = [os.path.join(scratch, word) for word in words if word.endswith((start, ".a"))]
    first = tuple(path for path in paths if path.endswith(start))
    last = tuple(path for path in paths if path.endswith(".a") and not path.endswith("libubsan_rt.a"))
    if done.status or not first or not last:
        raise ToolError(
            f"zig has no C library for {WASI}",
            context=(("output", "\n".join(lines[-5:])),),
            hint="zig builds it in ~/.cache/zig or ZIG_GLOBAL_CACHE_DIR, which must be writable",
        )
    return CLibrary(first=first, last=last)
