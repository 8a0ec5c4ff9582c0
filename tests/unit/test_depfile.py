"""Dependency files, also as read by GNU make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cratewright.base.errors import FormatError, OutputError
from cratewright.formats.depfile import decode_depfile, encode_depfile
from cratewright.testing import require_tool


def test_encode_one_rule() -> None:
    assert encode_depfile("a.spv", ["a.comp", "k.h"]) == b"a.spv: \\\n  a.comp \\\n  k.h\n"
    assert encode_depfile("a.spv", []) == b"a.spv:\n"


def test_decode_rules_of_compilers() -> None:
    text = "a.o: a.c dir/b\\ c.h \\\n  x\\#y.h d$$e.h \\\n /usr/x.h a.c\n\nb.h:\n"
    assert decode_depfile(text, name="a.c") == ("a.c", "dir/b c.h", "x#y.h", "d$e.h", "/usr/x.h")
    with pytest.raises(FormatError, match=r"a\.c: the compiler wrote no list"):
        decode_depfile("", name="a.c")
    names = ["a b.h", "$(HOME).h", "#x.h", "ü.h", "back\\slash.h"]
    assert decode_depfile(encode_depfile("out put", names).decode(), name="a.c") == tuple(names)


def test_make_reads_unusual_names(tmp_path: Path) -> None:
    require_tool(shutil.which("make") is not None, "make")
    names = ["a b.h", "$(HOME).h", "#x.h", "ü.h", "plain.h"]
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "out put").write_text("")
    rule = encode_depfile("out put", names) + b"\t@echo made again\n"
    (tmp_path / "Makefile").write_bytes(rule)
    for name in names:
        newer = (tmp_path / "out put").stat().st_mtime + 10
        _touch(tmp_path / "out put", newer)
        assert "made again" not in _make(tmp_path)
        _touch(tmp_path / name, newer + 10)
        assert "made again" in _make(tmp_path), name
        _touch(tmp_path / name, newer - 10)


def _touch(path: Path, time: float) -> None:
    import os

    os.utime(path, (time, time))


def _make(where: Path) -> str:
    return subprocess.run(["make", "out put"], cwd=where, capture_output=True, text=True, check=True).stdout


def test_line_break_is_rejected() -> None:
    with pytest.raises(OutputError, match="line break"):
        encode_depfile("a", ["b\nc"])
