"""The targets, with their names for users, compilers and rustc."""

from __future__ import annotations

import platform
import sys

from cratewright import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target.

    Shape: `name` is the user's word and zig's; `triple` is clang's; `rustc` is that of rustc, after which files are
    named; `format` is `elf`, `coff`, `macho` or `wasm`; `emulation` is ld.lld's `-m` word for ELF, else empty.
    """

    name: str
    triple: str
    rustc: str
    format: str = "elf"
    emulation: str = ""


def _linux(machine: str, library: str, emulation: str) -> Target:
    triple = f"{machine}-unknown-linux-{library}"
    return Target(name=f"{machine}-linux-{library}", triple=triple, rustc=triple, emulation=emulation)


_TARGETS = (
    _linux("x86_64", "gnu", "elf_x86_64"),
    _linux("aarch64", "gnu", "aarch64linux"),
    _linux("x86_64", "musl", "elf_x86_64"),
    _linux("aarch64", "musl", "aarch64linux"),
    Target(name="x86_64-windows-gnu", triple="x86_64-w64-windows-gnu", rustc="x86_64-pc-windows-gnu", format="coff"),
    Target(name="aarch64-macos", triple="arm64-apple-macosx", rustc="aarch64-apple-darwin", format="macho"),
    Target(name="wasm32-wasi", triple="wasm32-unknown-wasi", rustc="wasm32-wasip1", format="wasm"),
)


def host_target() -> str:
    """Return the name of the target that this machine runs, or the first target."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    name = f"{machine}-macos" if sys.platform == "darwin" else f"{machine}-linux-gnu"
    return name if any(target.name == name for target in _TARGETS) else _TARGETS[0].name


def find_target(name: str) -> Target:
    """Return a target by name; one of `TARGET_NAMES`."""
    return _BY_NAME[name]


_BY_NAME = {target.name: target for target in _TARGETS}
TARGET_NAMES = tuple(sorted(_BY_NAME, key=lambda name: name != host_target()))
