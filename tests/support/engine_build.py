"""Builds of a tree of stub crates in this process, without SCons: milliseconds each.

Knows nothing of what is built.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cratewright import testing
from cratewright.crate import Crate, CrateType, Source
from cratewright.errors import CratewrightError
from cratewright.identity import CrateReference, stable_crate_id
from cratewright.metadata import encode_rlib, encode_rlink
from cratewright.options import CORE_OPTIONS, Options, parse_options
from cratewright.pipeline.codegen import codegen_crate
from cratewright.pipeline.engine import Engine
from cratewright.pipeline.relink import relink
from cratewright.registry import Registry

__all__ = ["build_here"]


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


def build_here(root: Path, environ: dict[str, str], text: str) -> dict[str, bytes] | str:
    """Return the outputs of a build that is driven without SCons, or the error."""
    registry = Registry()
    registry.register(testing)
    registry._backends["stub"] = _Here
    engine = Engine(str(root), registry, environ)
    table = (*CORE_OPTIONS, *_Here.OPTIONS)
    made: dict[str, bytes] = {}
    out = root / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    try:
        for name, sources, given in _Declared(text).crates:
            named = [str(dep) for dep in given.pop("deps", [])]  # type: ignore[attr-defined]
            deps = [CrateReference(dep, stable_crate_id(dep, "0")) for dep in named]
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
            made[f"{name} says"] = "\n".join(result.diagnostics).encode()
            (out / f"{name}.rlink").write_bytes(encode_rlink(result.metadata))
            (out / f"lib{name}.rlib").write_bytes(encode_rlib(result.metadata))
            if kind is not CrateType.RLIB:
                relink(engine, str(out / f"{name}.rlink"), [str(out)], [kind], str(out))
        files = [path for path in sorted(out.rglob("*")) if path.is_file() and not path.name.startswith(".")]
        made |= {path.relative_to(out).as_posix(): path.read_bytes() for path in files}
    except CratewrightError as error:
        return str(error)
    finally:
        engine.close()
    return made
