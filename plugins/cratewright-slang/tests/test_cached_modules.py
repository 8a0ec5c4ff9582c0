"""Imports compiled by an earlier build are taken from the cache while they are up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cratewright import (
    CompiledUnit,
    Session,
    SourceError,
    UnitStencil,
    compile_with_cache,
    compute_cache_key,
    open_backend,
    open_cache,
)
from cratewright.testing import make_options
from cratewright_slang import module_compiler
from cratewright_slang.backend import SlangBackend
from cratewright_slang.module_compiler import ModuleCompiler

FILES = {
    "lib/m.slang": "module m;\nimport n;\npublic float f(float x) { return n() * x; }\n",
    "lib/n.slang": 'module n;\n#include "n.h"\npublic float n() { return SIZE; }\n',
    "lib/n.h": "#define SIZE 2.0\n",
    "a.slang": "import m;\nRWStructuredBuffer<float> d;\n"
    '[shader("compute")] [numthreads(1, 1, 1)] void main() { d[0] = f(d[0]); }\n',
}


class Builds:
    """Builds in one directory, each as in a new process; `compiled` lists the modules that the last one compiled."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.compiled = root, list[str]()
        self.session = Session(root=str(root), target="vulkan1.3", cache=str(root / "cache"), cache_size=1 << 30)
        self._patch = monkeypatch
        load = ModuleCompiler._load
        monkeypatch.setattr(
            ModuleCompiler, "_load", lambda own, path, *rest: (self.compiled.append(path), load(own, path, *rest))[1]
        )

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)

    def stencil(self, path: str, **options: object) -> UnitStencil:
        chosen = make_options(SlangBackend, include_dirs=["lib"], **options).only(SlangBackend.UNIT_OPTIONS)
        return UnitStencil(
            backend="slang",
            fingerprint="1",
            target="vulkan1.3",
            path=path,
            source=(self.root / path).read_bytes(),
            options=chosen,
        )

    def build(self, path: str, session: Session | None = None, **options: object) -> CompiledUnit:
        self._patch.setattr(module_compiler, "_compilers", {})
        self.compiled.clear()
        backend = open_backend(SlangBackend, session or self.session)
        return backend.compile_codegen_unit(self.stencil(path, **options))

    def build_cached(self, path: str, **options: object) -> CompiledUnit:
        """Build a unit through the cache, as the engine does."""
        self._patch.setattr(module_compiler, "_compilers", {})
        self.compiled.clear()
        backend = open_backend(SlangBackend, self.session)
        return compile_with_cache(backend, self.stencil(path, **options), open_cache(self.session))[0]

    def fresh(self, path: str, **options: object) -> CompiledUnit:
        return self.build(path, replace(self.session, cache=""), **options)


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builds]:
    made = Builds(tmp_path, monkeypatch)
    made.write(FILES)
    monkeypatch.setattr("cratewright_slang.module_compiler.SharedStore", lambda directory: None)
    yield made
    open_cache(made.session).close()


def test_edited_source_is_compiled_alone(builds: Builds) -> None:
    first = builds.build("a.slang")
    assert builds.compiled == ["lib/n.slang", "lib/m.slang", "a.slang"] and first == builds.fresh("a.slang")
    builds.write({"a.slang": FILES["a.slang"].replace("f(d[0])", "f(d[0]) + 1")})
    second = builds.build("a.slang")
    assert builds.compiled == ["a.slang"]
    assert second != first and second == builds.fresh("a.slang")
    # An importer's entry is no complete unit.
    builds.build("a.slang")
    unit = open_backend(SlangBackend, builds.session).compile_codegen_unit(builds.stencil("lib/m.slang"))
    assert unit == builds.fresh("lib/m.slang")


def test_edited_or_shadowed_dependency_of_an_import(builds: Builds) -> None:
    builds.build("a.slang")
    builds.write({"lib/n.h": "#define SIZE 3.0\n"})
    assert builds.build("a.slang") == builds.fresh("a.slang")
    builds.build("a.slang")
    assert builds.compiled == ["a.slang"]
    # A module that shadows it now.
    builds.write({"n.slang": "module n;\npublic float n() { return 4; }\n"})
    builds.build("a.slang")
    builds.write({"lib/n.slang": FILES["lib/n.slang"].replace("SIZE;", "SIZE + 1;")})
    made = builds.build("a.slang")
    assert "lib/n.slang" in builds.compiled and made == builds.fresh("a.slang")


def test_unread_module_beside_the_source_changes_nothing(builds: Builds) -> None:
    """`n` is loaded already and serves the second import, whatever lies beside the source."""
    builds.write({"a.slang": f"import m;\nimport n;\n{FILES['a.slang'].partition(';')[2]}"})
    builds.write({"n.slang": "module n;\npublic float n() { return 4; }\n"})
    beside = builds.build_cached("a.slang")
    (builds.root / "n.slang").unlink()
    assert beside == builds.build_cached("a.slang") == builds.fresh("a.slang")


def test_options_are_part_of_the_key(builds: Builds) -> None:
    builds.write({"lib/n.h": "#ifdef FOG\n#define SIZE 2.0\n#else\n#define SIZE 3.0\n#endif\n"})
    builds.build("a.slang")
    for options in ({"defines": {"FOG": 1}}, {"debuginfo": "full"}, {"matrix_layout": "column"}):
        made = builds.build("a.slang", **options)
        assert len(builds.compiled) == 3 and made == builds.fresh("a.slang", **options)
        builds.build("a.slang", **options)
        assert builds.compiled == ["a.slang"]


def test_importer_reuses_compiled_units(builds: Builds) -> None:
    """An importer with the same options takes the units of a library from the cache."""
    backend, store = open_backend(SlangBackend, builds.session), open_cache(builds.session)
    for path in ("lib/n.slang", "lib/m.slang"):
        compile_with_cache(backend, builds.stencil(path), store)
    builds.build("a.slang")
    assert builds.compiled == ["a.slang"]


def test_damaged_entry_is_compiled_again(builds: Builds) -> None:
    first = builds.build("a.slang")
    backend, store = open_backend(SlangBackend, builds.session), open_cache(builds.session)
    key = str(compute_cache_key(backend, builds.stencil("lib/m.slang")))
    entry = store.get(key)
    assert entry is not None
    for data in (entry[:-1] + bytes([entry[-1] ^ 1]), entry[:40], b""):
        store.insert(key, data)
        assert builds.build("a.slang") == first and builds.compiled == ["lib/m.slang", "a.slang"]


def test_key_is_computed_once(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []
    monkeypatch.setattr(
        "cratewright_slang.cached_modules.compute_cache_key",
        lambda backend, stencil: (keys.append(stencil.path), compute_cache_key(backend, stencil))[1],
    )
    builds.build("a.slang")
    assert sorted(keys) == ["a.slang", "lib/m.slang", "lib/n.slang"]


def test_nothing_is_written_without_a_cache(builds: Builds) -> None:
    builds.fresh("a.slang")
    builds.fresh("a.slang")
    assert len(builds.compiled) == 3 and not (builds.root / "cache").exists()


def test_import_that_is_no_valid_unit_is_not_cached(builds: Builds) -> None:
    """Otherwise compiling the importer first would let the invalid source pass."""
    (builds.root / "lib/n.slang").write_bytes("module n;\npublic float n() { return 2; }\n".encode("utf-16"))
    builds.build("a.slang")
    backend = open_backend(SlangBackend, builds.session)
    with pytest.raises(SourceError, match="a NUL byte is not text"):
        compile_with_cache(backend, builds.stencil("lib/n.slang"), open_cache(builds.session))
