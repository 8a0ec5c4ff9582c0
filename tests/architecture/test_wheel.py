"""The wheel contains the package and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from cratewright.testing import require_tool

ROOT = Path(__file__).resolve().parents[2]


def test_wheel_contains_exactly_the_package(tmp_path: Path) -> None:
    require_tool(find_spec("hatchling") is not None, "hatchling")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "site_scons", source / "site_scons", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "out")],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        metadata = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        points = archive.read(metadata[0]).decode()
    package = ROOT / "site_scons"
    files = [
        *package.rglob("*.py"),
        package / "cratewright" / "py.typed",
        package / "cratewright" / "report" / "page.html",
        package / "cratewright" / "scons" / "packaged" / "SConstruct",
    ]
    expected = [path.relative_to(package).as_posix() for path in files]
    assert sorted(names) == sorted(expected)
    assert "cratewright = cratewright.cli:main" in points


def test_site_scons_contains_only_the_package() -> None:
    """Anything else there would shadow imports of every SConstruct."""
    assert sorted(path.name for path in (ROOT / "site_scons").iterdir() if path.name != "__pycache__") == [
        "cratewright"
    ]
