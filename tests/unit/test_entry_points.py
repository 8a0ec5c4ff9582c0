"""Finding entry points without `importlib.metadata`, and with it."""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from cratewright.plugins.entry_points import PluginEntry, entry_points

TABLE = """\
# plugins
[console_scripts]
other = some:thing
[plugs]

one = pack.age:name.deep [extra]
# two = commented
  three=module
"""


def _distribution(place: Path, directory: str, table: str = TABLE, about: str = "Name: A-b\nVersion: 1.0\n") -> None:
    (place / directory).mkdir(parents=True)
    (place / directory / "METADATA").write_text(f"Metadata-Version: 2.1\n{about}\nVersion: of the description\n")
    if table:
        (place / directory / "entry_points.txt").write_text(table)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the only directory of the path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def _asked() -> list[PluginEntry]:
    """Return what the standard library finds."""
    return [
        PluginEntry(entry.name, entry.value, f"{entry.dist.metadata['Name']} {entry.dist.metadata['Version']}")
        for entry in metadata.entry_points(group="plugs")
        if entry.dist
    ]


@pytest.mark.parametrize("directory", ["a_b-1.0.dist-info", "A.b-1.0.egg-info", "a_b.egg-info"])
def test_a_table_is_read_as_the_standard_library_reads_it(place: Path, directory: str) -> None:
    _distribution(place, directory)
    found = [PluginEntry("one", "pack.age:name.deep [extra]", "A-b 1.0"), PluginEntry("three", "module", "A-b 1.0")]
    assert entry_points("plugs") == found
    assert _asked() == found


def test_the_first_on_the_path_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also if that one has no entry points."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "missing"), str(tmp_path / "second")])
    _distribution(tmp_path / "first", "a_b-1.0.dist-info", table="")
    _distribution(tmp_path / "second", "A.B-2.0.dist-info")
    assert entry_points("plugs") == [] == _asked()


def test_metadata_may_be_missing(place: Path) -> None:
    _distribution(place, "some-1.5.dist-info")
    (place / "some-1.5.dist-info" / "METADATA").unlink()
    assert {entry.origin for entry in entry_points("plugs")} == {"some 1.5"}


def test_a_zip_file_is_left_to_the_standard_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a_b-1.0.dist-info/METADATA", "Name: a-b\nVersion: 1.0\n")
        file.writestr("a_b-1.0.dist-info/entry_points.txt", TABLE)
    monkeypatch.setattr(sys, "path", [str(archive)])
    found = entry_points("plugs")
    assert [entry.origin for entry in found] == ["a-b 1.0"] * 2
    assert found == _asked()


def test_other_finders_are_left_to_the_standard_library(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = place / "elsewhere"
    _distribution(elsewhere, "a_b-1.0.dist-info")

    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None: ...

        @staticmethod
        def find_distributions(_: object) -> list[metadata.Distribution]:
            return [metadata.PathDistribution(elsewhere / "a_b-1.0.dist-info")]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert [entry.name for entry in entry_points("plugs")] == ["one", "three"]


def test_what_is_named_is_loaded() -> None:
    assert PluginEntry("x", "os.path:join [extra]", "").load() is __import__("os").path.join
    assert PluginEntry("x", "collections.abc", "").load() is sys.modules["collections.abc"]
    with pytest.raises(AttributeError):
        PluginEntry("x", "os:no_such_thing", "").load()
