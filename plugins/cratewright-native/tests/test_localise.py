"""Making symbols of objects local: linkers and readelf accept the result; damaged objects are errors."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cratewright import FormatError
from cratewright_native.binary.elf import elf_symbols
from cratewright_native.binary.localise import with_local_symbols

TEXT = """
template <class T> T once(T x) { static T seen; return seen += x; }
int kept(int x) { return once(x); }
int gone(int x) { return kept(x) + once(2L); }
int common;
int uses() { return gone(common); }
"""


def _object(directory: Path, *words: str) -> bytes:
    (directory / "a.cpp").write_text(TEXT)
    command = ["g++", "-c", "-ffunction-sections", *words, "a.cpp", "-o", "a.o"]
    subprocess.run(command, cwd=directory, check=True)
    return (directory / "a.o").read_bytes()


@pytest.mark.parametrize("words", [("-O2",), ("-O0", "-g"), ("-O1", "-fno-pic", "-fexceptions")])
def test_other_symbols_become_local(tmp_path: Path, words: tuple[str, ...]) -> None:
    data = _object(tmp_path, *words)
    before = {symbol.name: symbol for symbol in elf_symbols(data, name="a.o")}
    made = with_local_symbols(data, keep={"_Z4kepti"}, name="a.o")
    after = {symbol.name: symbol for symbol in elf_symbols(made, name="a.o")}
    stays = {name for name, symbol in before.items() if symbol.weak or not symbol.defined}
    assert set(after) == stays | {"_Z4kepti"} and "_Z4gonei" in before
    (tmp_path / "b.o").write_bytes(made)
    (tmp_path / "main.cpp").write_text(
        "int kept(int);\nint gone(int) { return 7; }\nint main() { return kept(3) + gone(1) - 10; }\n"
    )
    subprocess.run(["g++", "main.cpp", "b.o", "-o", "main"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "main"], check=True)
    shown = subprocess.run(["readelf", "-aW", "b.o"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Warning" not in shown.stdout + shown.stderr and "Error" not in shown.stderr


def test_keeping_every_symbol_changes_nothing(tmp_path: Path) -> None:
    data = _object(tmp_path, "-O2")
    every = {symbol.name for symbol in elf_symbols(data, name="a.o")}
    assert with_local_symbols(data, keep=every, name="a.o") == data


def test_damaged_objects(tmp_path: Path) -> None:
    data = _object(tmp_path, "-O2", "-g")
    for size in range(64, len(data), 97):
        with pytest.raises(FormatError, match="damaged"):
            with_local_symbols(data[:size], keep=(), name="a.o")
