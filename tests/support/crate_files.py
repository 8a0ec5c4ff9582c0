"""A crate with a value in every field, encoded as each kind of file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cratewright.formats.crate_metadata import CrateMetadata, identified
from cratewright.formats.metadata import (
    decode_dylib,
    decode_rlib,
    decode_rlink,
    encode_dylib,
    encode_rlib,
    encode_rlink,
)
from cratewright.rules.dependency_format import Linkage
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import EntryPoint, ModuleCodegen, ModuleKind, Symbol
from cratewright.values.native_library import parse_library
from cratewright.values.options import Options

CRATE = CrateMetadata(
    name="noise",
    version="1.2.3",
    backend="stub",
    fingerprint="stub 1",
    target="text",
    crate_types=(CrateType.RLIB, CrateType.CDYLIB),
    dependencies=(CrateReference("maths", "12ab", "cd" * 32), CrateReference("base", "34ef")),
    options=Options(
        (
            ("count", 3),
            ("defines", (("A", None), ("B", "1"))),
            ("include_dirs", ("x",)),
            ("lto", "fat"),
            ("multimodule", True),
        )
    ),
    modules=(
        ModuleCodegen(
            name="a.o",
            data=b"data of a",
            exports=(Symbol("f", "float f()", "a.stub", 3),),
            imports=(Symbol("g", "g", "a.stub", 4),),
            entry_points=(EntryPoint("vertex", "main"),),
            attributes=(("key", "value"),),
        ),
        ModuleCodegen(name="dir/b.o", data=b"", kind=ModuleKind.ALLOCATOR),
        ModuleCodegen(name="ü.o", data=bytes(range(256))),
    ),
    natives=(parse_library("static:+whole-archive=z", where="here"), parse_library("m", where="here")),
    allocator="needs",
    metadata=("with", "words"),
)

WHOLE = identified(CRATE)

INSIDE = (
    (CrateReference("maths", "12ab", "cd" * 32), Linkage.DYNAMIC),
    (CrateReference("base", "34ef", ""), Linkage.STATIC),
)

FILES: dict[str, tuple[bytes, Callable[..., object], object]] = {}


def without_data(crate: CrateMetadata, **changes: object) -> CrateMetadata:
    """Return a crate without module data, as a decoder that skips data returns it."""
    return replace(crate, modules=tuple(replace(module, data=b"", **changes) for module in crate.modules))  # type: ignore[arg-type]


FILES["rlib"] = (encode_rlib(WHOLE), decode_rlib, WHOLE)
FILES["rlink"] = (encode_rlink(WHOLE), decode_rlink, WHOLE)

FILES["dylib"] = (
    b"\x7fELF of something" + encode_dylib(WHOLE, INSIDE) + b"and more",
    decode_dylib,
    (without_data(WHOLE, imports=(), attributes=()), INSIDE),
)

EVERY_FILE = pytest.mark.parametrize("kind", FILES)
