"""What may happen to a tree between two runs: edits, damage to outputs, changes of the environment."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

__all__ = ["DOERS", "KEPT", "Tree"]

KEPT = ".sconsign.crates"
"""The record that a null build leaves."""


class Tree(Protocol):
    """A project tree and its environment.

    Shape: `parent` is the directory above, which is the tree's own; `forgets` as in `Twin`.
    """

    path: Path
    parent: Path
    forgets: bool
    environ: dict[str, str]

    def matching(self, pattern: str, number: int) -> Path | None:
        """Return the path with this number among those that match, modulo their count; None if none does."""


def _write(twin: Tree, name: str, text: str) -> None:
    path = twin.path / name
    if path.is_dir() and not path.is_symlink():
        return
    if not (path.parent.exists() and not path.parent.is_dir()):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_fifo():
            path.unlink()
        if not path.is_file() or path.read_bytes() != text.encode():
            path.write_text(text)


def _rewrite(twin: Tree, name: str, text: str, how: str) -> None:
    path = twin.path / name
    if not path.is_file():
        return _write(twin, name, text)
    before = path.stat()
    if how == "moved":
        other = path.with_name("moved~")
        other.write_text(text)
        os.replace(other, path)
    else:
        path.write_text(text)
    if how in ("mtime", "moved"):
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif how == "old":
        os.utime(path, (1_000_000_000, 1_000_000_000))
    elif how == "future":
        os.utime(path, (4_000_000_000, 4_000_000_000))
    return None


def _harm(twin: Tree, pattern: str, number: int, what: str) -> None:
    path = twin.matching(pattern, number)
    if path is None:
        return
    if what == "more":
        (path if path.is_dir() else path.parent).joinpath("more.spv").write_text("junk")
        return
    is_directory = path.is_dir() and not path.is_symlink()
    if what in ("mode", "unreadable"):
        path.chmod((0o755 if what == "mode" else 0o000) if not is_directory else 0o755)
        return
    if what == "touch":
        os.utime(path, (time.time(), time.time()))
        return
    if what == "pipe" and path.name.startswith(".sconsign"):  # SCons itself would hang
        return
    if what in ("edit", "cut", "same") and path.is_file():
        data = path.read_bytes()
        before = path.stat()
        path.write_bytes({"edit": data + b"x", "cut": data[: len(data) // 2], "same": bytes(len(data))}[what])
        if what == "same":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return
    if what == "copied" and path.is_file() and not path.is_symlink():  # an equal file in its place
        shutil.copy2(path, path.with_name("copied~"))
        os.replace(path.with_name("copied~"), path)
        return
    away = next(place for n in range(1000) if not os.path.lexists(place := twin.parent / f"away{n}"))
    os.rename(path, away)
    if what == "linked":
        path.symlink_to(os.path.relpath(away, path.parent))
    elif what == "directory":
        path.mkdir()
    elif what == "dangling":
        path.symlink_to("nowhere")
    elif what == "file":
        path.write_text("junk")
    elif what == "empty":
        path.write_text("")
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "back":
        os.rename(away, path)


def _move(twin: Tree, name: str) -> None:
    here = Path(f"{twin.path}.told"), Path(f"{twin.path}.kill")
    for path in here:
        path.unlink(missing_ok=True)
    os.rename(twin.path, twin.parent / name)
    twin.path = twin.parent / name


def _tool(twin: Tree, name: str, what: str) -> None:
    path = twin.path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    if what == "dangling":
        path.symlink_to("nowhere")
    elif what != "gone":
        path.write_text(f"#!/bin/sh\n# {what}\necho {what}; exit 1\n")
        path.chmod(0o755 if what != "plain" else 0o644)


def _environ(twin: Tree, name: str, text: str | None) -> None:
    twin.environ.pop(name, None)
    if text is not None:
        twin.environ[name] = text


def _link(twin: Tree, name: str, to: str) -> None:
    path = twin.path / name
    if path.is_symlink() or path.is_file():
        path.unlink()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(to)


def _kept(twin: Tree, what: str) -> None:
    """Damage the record of the tree that keeps it."""
    path = twin.path / KEPT
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    elif twin.forgets or not path.is_file():
        path.unlink(missing_ok=True)
    if twin.forgets or not path.is_file():
        return
    data = path.read_bytes()
    saved = twin.parent / "kept~"
    if what == "older":
        if saved.exists():
            path.write_bytes(saved.read_bytes())
        saved.write_bytes(data)
        return
    if what == "touch":
        os.utime(path)
        return
    path.unlink()
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "dangling":
        path.symlink_to("nowhere")
    elif what != "remove":
        path.write_bytes({"garbage": b"\xff\0x", "empty": b"", "list": b"[]", "cut": data[: len(data) // 2],
                          "numbers": re.sub(rb'"[^"]*"', b"1", data, count=9)}[what])  # fmt: skip


DOERS: dict[str, Callable[..., None]] = {
    "write": _write,
    "rewrite": _rewrite,
    "harm": _harm,
    "move": _move,
    "tool": _tool,
    "environ": _environ,
    "sleep": lambda twin, seconds: None,
    "kept": _kept,
    "link": _link,
}
