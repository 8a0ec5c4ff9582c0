"""A first workspace for the sources in a directory.

It guesses what it cannot know; the user reads and changes the result.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping

from ..base.values import dataclass
from ..values.crate_type import CrateType

_ENTRY = re.compile(r"\bmain\s*\(|@main\s*\(|\[\s*shader\s*\(|\bOpEntryPoint\b")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class DraftCrate:
    """A crate as it would be declared.

    Shape: paths are relative to the workspace's directory, `/`-separated and sorted.
    """

    name: str
    backend: str
    type: str
    sources: tuple[str, ...]
    deps: tuple[str, ...] = ()
    include_dirs: tuple[str, ...] = ()


def draft_crates(
    name: str, backends: Mapping[str, tuple[tuple[str, ...], Iterable[CrateType]]], texts: Mapping[str, str]
) -> list[DraftCrate]:
    """Return crates for the sources among some files.

    Shape: `name` is the directory's; `backends` gives suffixes and crate types by name, `texts` holds all files,
    sources and what they may include. What another file includes is not a source of its own.
    """
    name = _NO_NAME.sub("-", name).strip("-") or "crate"
    name = name if not name[0].isdigit() else f"crate-{name}"
    plain = {path: _COMMENT.sub(" ", text) for path, text in texts.items()}
    included, searched = _includes(plain)
    found: list[DraftCrate] = []
    shared = _shared_out({backend: suffixes for backend, (suffixes, _) in backends.items()}, plain.keys() - included)
    for backend, sources in shared.items():
        base = f"{name}-{backend}" if len(shared) > 1 else name
        entries = [path for path in sources if _ENTRY.search(plain[path])]
        found += _crates(base, backend, CrateType.BIN in set(backends[backend][1]), sources, entries, searched)
    return found


def _shared_out(suffixes: Mapping[str, tuple[str, ...]], paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the sources of each backend, sorted; one that several compile goes to the one which compiles most of them.

    Of backends that compile as many, the one with more suffixes gets them.
    """
    left = set(paths)
    found: dict[str, list[str]] = {}

    def takes(backend: str) -> list[str]:
        return sorted(path for path in left if path.endswith(suffixes[backend]))

    while suffixes:
        best = min(suffixes, key=lambda backend: (-len(takes(backend)), -len(suffixes[backend]), backend))
        sources = takes(best)
        if not sources:
            break
        found[best] = sources
        left.difference_update(sources)
    return {backend: found[backend] for backend in suffixes if backend in found}


def _crates(
    base: str, backend: str, programs: bool, sources: list[str], entries: list[str], include_dirs: tuple[str, ...]
) -> list[DraftCrate]:
    library = tuple(path for path in sources if path not in entries)
    if not entries:
        return [DraftCrate(base, backend, "rlib", library, (), include_dirs)]
    if programs and len(entries) == 1:
        return [DraftCrate(base, backend, "bin", tuple(sources), (), include_dirs)]
    crates: list[DraftCrate] = []
    if library:
        crates.append(DraftCrate(f"{base}-lib", backend, "rlib", library, (), include_dirs))
    deps = tuple(crate.name for crate in crates)
    if not programs:
        return [*crates, DraftCrate(base, backend, "cdylib", tuple(entries), deps, include_dirs)]
    taken = {crate.name for crate in crates}
    for path in entries:
        stem = _NO_NAME.sub("-", posixpath.splitext(posixpath.basename(path))[0]).strip("-") or "program"
        stem = f"{base}-{stem}" if stem in taken or stem[0].isdigit() else stem
        while stem in taken:
            stem += "-2"
        taken.add(stem)
        crates.append(DraftCrate(stem, backend, "bin", (path,), deps, include_dirs))
    return crates


def _includes(texts: Mapping[str, str]) -> tuple[set[str], tuple[str, ...]]:
    """Return the files that others include, and the directories in which those must be searched for."""
    included: set[str] = set()
    directories: set[str] = set()
    for path, text in texts.items():
        here = posixpath.dirname(path)
        for quote, name in _INCLUDE.findall(text):
            beside = posixpath.normpath(posixpath.join(here, name))
            if quote == '"' and beside in texts:
                included.add(beside)
                continue
            ends = [other for other in texts if other == name or other.endswith(f"/{name}")]
            if ends and ".." not in name.split("/"):
                nearest = min(ends, key=lambda other: (len(other), other))
                included.add(nearest)
                directories.add(nearest[: -len(name)].rstrip("/") or ".")
    return included, tuple(sorted(directories))


def draft_toml(crates: Iterable[DraftCrate]) -> str:
    """Return crates as a workspace file."""
    blocks = []
    for crate in crates:
        rows = [f"[crate.{crate.name}]", f"sources = {_words(crate.sources)}"]
        if crate.type != "rlib":
            rows.append(f"type = {json.dumps(crate.type)}")
        rows.append(f"backend = {json.dumps(crate.backend)}")
        if crate.deps:
            rows.append(f"deps = {_words(crate.deps)}")
        if crate.include_dirs:
            rows.append(f"include-dirs = {_words(crate.include_dirs)}")
        blocks.append("\n".join(rows) + "\n")
    return "\n".join(blocks)


def draft_sconstruct(crates: Iterable[DraftCrate]) -> str:
    """Return crates as an SConstruct."""
    rows = ["import cratewright", "", 'env = Environment(tools=["default", cratewright.tool], CRATE_PROFILE="dev")', ""]
    for crate in crates:
        words = [json.dumps(crate.name), _words(crate.sources), f"backend={json.dumps(crate.backend)}"]
        if crate.type != "rlib":
            words.append(f"crate_type={json.dumps(crate.type)}")
        if crate.deps:
            words.append(f"deps={_words(crate.deps)}")
        if crate.include_dirs:
            words.append(f"include_dirs={_words(crate.include_dirs)}")
        rows.append(f"Default(env.Crate({', '.join(words)}))")
    return "\n".join(rows) + "\n"


def _words(words: Iterable[str]) -> str:
    """Return a list of words, which TOML, Python and JSON write alike."""
    items = [json.dumps(word, ensure_ascii=False) for word in words]
    line = f"[{', '.join(items)}]"
    return line if len(line) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
