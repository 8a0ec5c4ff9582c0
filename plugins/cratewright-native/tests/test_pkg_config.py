"""Options of packages, by pkg-config."""

from __future__ import annotations

from pathlib import Path

import pytest

from cratewright import ConfigurationError, ToolError
from cratewright_native.libraries import pkg_config

SCRIPT = """#!/bin/sh
case "$*" in
  *gone*) echo "Package gone was not found" >&2; exit 1 ;;
esac
echo "-I/opt/z/include -DZ=1 -pthread -L/opt/z/lib -lz -Wl,-z,now $*"
"""


@pytest.fixture
def pkg_config_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a pkg-config that knows every package but one."""
    (tmp_path / "pkg-config").write_text(SCRIPT)
    (tmp_path / "pkg-config").chmod(0o755)
    monkeypatch.setenv("PKG_CONFIG", str(tmp_path / "pkg-config"))


@pytest.mark.usefixtures("pkg_config_program")
def test_flags_become_options() -> None:
    found = pkg_config("z")
    assert found.pop("flags")[:1] == ["-pthread"]
    assert found == {
        "include_dirs": ["/opt/z/include"],
        "defines": ["Z=1"],
        "lib_dirs": ["/opt/z/lib"],
        "libs": ["z"],
        "ldflags": ["-Wl,-z,now"],
    }


@pytest.mark.usefixtures("pkg_config_program")
def test_static_flags() -> None:
    assert "--static" in pkg_config("z", static=True)["flags"]


@pytest.mark.usefixtures("pkg_config_program")
def test_unknown_package() -> None:
    with pytest.raises(ConfigurationError, match="pkg-config does not know gone"):
        pkg_config("gone")


def test_no_pkg_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKG_CONFIG", "/nowhere/pkg-config")
    with pytest.raises(ToolError, match="pkg-config cannot be run"):
        pkg_config("z")
