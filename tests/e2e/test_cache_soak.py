"""Random edits: after each, what an incremental build leaves is what a clean one makes, byte for byte.

Knows nothing of how either comes about. `CRATE_SOAK=1000` makes that many edits in each language; a failure names the
seed and the edits that led to it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from cratewright import testing
from cratewright.cache.database import EmbeddedStore
from cratewright.crate import Crate, CrateType, Source
from cratewright.errors import CratewrightError
from cratewright.metadata import encode_rlink
from cratewright.options import CORE_OPTIONS, Options, parse_options
from cratewright.pipeline.codegen import codegen_crate
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.link import link_crate
from cratewright.registry import Registry
from tests.support.random_tree import RandomTree
from tests.support.scons_project import SconsProject

ONE_FORM = True

MORE = int(os.environ.get("CRATE_SOAK", "0"))
_BUILT = (".rlink", ".rlib", ".json", ".spv", ".cdylib")


class _Here(testing.StubBackend):
    """The stub in this process: no worker can import it under this name."""


_Here.__module__ = "nowhere"


class _Declared(dict[str, object]):
    """What an SConstruct of the tree declares, read by running it with an `env` that only takes note."""

    def __init__(self, text: str) -> None:
        super().__init__()
        body = text[text.index("dirs = ") :]
        self.crates: list[tuple[str, list[str], dict[str, object]]] = []
        exec(compile(body, "SConstruct", "exec"), {"env": self})

    def Crate(self, name: str, sources: list[str], **options: object) -> str:
        self.crates.append((name, sources, options))
        return name


def _build(root: Path, environ: dict[str, str], text: str) -> dict[str, bytes] | str:
    """Return the outputs of a build that is driven without SCons, or the error."""
    registry = Registry()
    registry.register(testing)
    registry._backends["stub"] = _Here
    engine = Engine(str(root), registry, environ)
    table = (*CORE_OPTIONS, *_Here.OPTIONS)
    made, known = {}, {}
    try:
        for name, sources, given in _Declared(text).crates:
            deps = [str(dep) for dep in given.pop("deps", [])]  # type: ignore[attr-defined]
            kind = CrateType(given.pop("crate_type", "rlib"))
            values = {spec.name: spec.default for spec in table} | parse_options(given, table, where="")
            options = Options(tuple(sorted(values.items())))
            crate = Crate(
                name=name,
                version="0",
                backend="stub",
                target="text",
                profile="dev",
                crate_types=(kind,),
                sources=tuple(Source(path=path, name=path, options=options) for path in sources),
                dependencies=tuple(deps),
                options=options,
            )
            with engine.ledger(str(root / f"{name}.rlink")):
                result = codegen_crate(engine, crate)
            known[name] = result.metadata
            made[f"{name}.rlink"] = encode_rlink(result.metadata)
            made[f"{name} says"] = "\n".join(result.diagnostics).encode()
            if kind is not CrateType.RLIB:
                linked = link_crate(engine, result.metadata, [known[dep] for dep in deps], kind)
                made |= {artifact.path: artifact.data for artifact in linked.artifacts}
    except CratewrightError as error:
        return str(error)
    finally:
        engine.close()
    return made


@pytest.mark.parametrize("verify", ["0", "1"])
def test_random_edits_through_the_engine(tmp_path: Path, verify: str) -> None:
    tree = RandomTree(int(verify), "stub")
    root, store = tmp_path / "tree", tmp_path / "store"
    environ = {"CRATE_CACHE": str(store), "CRATE_CACHE_VERIFY": verify}
    before: dict[str, str] = {}
    edits: list[str] = []
    for number in range(max(150, MORE)):
        before = tree.write(root, before)
        found = _build(root, environ, before["SConstruct"])
        expected = _build(root, {"CRATE_CACHE": "off"}, before["SConstruct"])
        assert found == expected, f"after {edits[-5:]}"
        assert isinstance(found, str) == tree.broken
        if number % 40 == 39:  # a store that is damaged or small is no less right
            for file in store.iterdir():
                data = bytearray(file.read_bytes())
                data[number * 997 % len(data)] ^= 16
                file.write_bytes(data)
            EmbeddedStore(str(store), 60_000).collect()
        edits.append(tree.edit())
    assert len(set(edits)) >= 12, "every kind of edit was made"


def _outputs(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in _BUILT and not path.name.startswith(".")
    }


@pytest.mark.parametrize(("language", "count"), [("stub", 16), ("glsl", 8)])
def test_random_edits_through_scons(tmp_path: Path, scons_form: str, language: str, count: int) -> None:
    """Between edits nothing is cleaned away; now and then everything but the store is, or a hit is checked."""
    tree = RandomTree(7, language)
    project = SconsProject(tmp_path / "tree", form=scons_form)
    project.environ["CRATE_CACHE"] = str(tmp_path / "store")
    before: dict[str, str] = {}
    edits: list[str] = []
    for number in range(max(count, MORE)):
        before = tree.write(project.path, before)
        project.environ["CRATE_CACHE_VERIFY"] = "1" if number % 7 == 3 else ""
        if number % 5 == 4:
            project.scons("-c")
        fresh = SconsProject(tmp_path / "fresh" / str(number), form=scons_form)
        fresh.environ["CRATE_CACHE"] = "off"
        fresh.write(before)
        status = 2 if tree.broken else 0
        project.scons("-j2", "--", expect=status)
        fresh.scons("-j2", "--", expect=status)
        if not tree.broken:
            assert _outputs(project.path) == _outputs(fresh.path), f"after {edits[-5:]}"
            assert _outputs(project.path)
        shutil.rmtree(fresh.path)
        edits.append(tree.edit())
        if MORE and number % 50 == 49:
            print(f"{language}: {number + 1} edits", file=sys.stderr)
