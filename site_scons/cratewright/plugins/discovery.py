"""Finds plugins: those that are installed, and those beside this package in a checkout.

It does not load them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from ..base.values import dataclass
from ..contract.blame import distribution_words

GROUP = "cratewright"
"""The entry points that name plugins."""


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """A plugin that is not loaded yet, and the directory to import it from, if there is a special one."""

    entry: metadata.EntryPoint
    origin: str
    path: str = ""


def find_plugins() -> Iterator[FoundPlugin]:
    """Yield installed plugins, then those of a checkout: `plugins/*/pyproject.toml` beside `site_scons`."""
    installed = sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name)
    for entry in installed:
        yield FoundPlugin(entry, distribution_words(entry.dist) if entry.dist else "installed")
    names = {entry.name for entry in installed}
    for project in _projects():
        table = _entry_point_table(project)
        for name, target in table.items():
            if name not in names:
                entry = metadata.EntryPoint(name, target, GROUP)
                yield FoundPlugin(entry, f"plugins/{project.parent.name}", str(project.parent / "src"))


def checkout_places() -> list[str]:
    """Return the files and directories that say which plugins a checkout has; some files are missing."""
    return [str(_plugins()), *map(str, _projects())]


def _plugins() -> Path:
    return Path(__file__).resolve().parents[3] / "plugins"


def _projects() -> list[Path]:
    return sorted(path / "pyproject.toml" for path in _plugins().glob("*"))


def _entry_point_table(project: Path) -> Mapping[str, str]:
    import tomli  # noqa: PLC0415 - only a checkout needs it

    try:
        table = tomli.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][GROUP]
    except (OSError, KeyError, tomli.TOMLDecodeError):
        return {}
    return {str(name): str(module) for name, module in table.items()}
