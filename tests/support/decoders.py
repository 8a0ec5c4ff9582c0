"""All decoders of bytes, with seeds for fuzzing.

Where a digest protects the bytes, it is recalculated here, so that fuzzing reaches the code behind the check.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cratewright.base.diagnostic import Diagnostic, Severity
from cratewright.base.errors import CratewrightError
from cratewright.base.serializer import DecodeError
from cratewright.cache import history
from cratewright.cache.entry import (
    ObservedResult,
    RecompileError,
    decode_alternatives,
    encode_alternatives,
    open_entry,
    result_bytes,
    result_of,
    seal_entry,
)
from cratewright.cache.explain import Change
from cratewright.cache.thin_modules import IndexedThinModules
from cratewright.formats.archive import Member, read_archive, write_archive
from cratewright.formats.crate_document import decode_document, encode_document
from cratewright.formats.crate_metadata import CrateMetadata, identified
from cratewright.formats.depfile import decode_depfile
from cratewright.formats.metadata import (
    decode_dylib,
    decode_rlib,
    decode_rlink,
    encode_dylib,
    encode_rlib,
    encode_rlink,
)
from cratewright.formats.stage_record import SeenFile, StageRecord, decode_record, encode_record
from cratewright.rules.dependency_format import Linkage
from cratewright.values.crate_type import CrateType
from cratewright.values.identity import CrateReference
from cratewright.values.module import CompiledUnit, EntryPoint, ModuleCodegen, ModuleKind, Observed, Symbol
from cratewright.values.options import CORE_OPTIONS, Options
from cratewright.values.request import Artifact, LinkResult, ThinBuffer, ThinModule
from cratewright_native.binary.bitcode import bitcode_major, bitcode_symbols
from cratewright_native.binary.elf import elf_symbols
from cratewright_native.linking.link_files import parse_link_depfile
from cratewright_spirv.binary.module import build, literal, parse

__all__ = ["DECODERS", "Decoder"]


@dataclass(frozen=True)
class Decoder:
    """A decoder, the errors it may raise, and seeds."""

    decode: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Iterable[bytes]]


_MODULE = ModuleCodegen(
    name="a.o",
    data=b"data",
    kind=ModuleKind.REGULAR,
    exports=(Symbol("f", "float f()", "a.glsl", 3, "f()"),),
    imports=(Symbol("g", "g"),),
    entry_points=(EntryPoint("frag", "main"),),
    attributes=(("lto", "thin"),),
)
_RESULTS = (
    CompiledUnit(modules=(_MODULE,), diagnostics=(Diagnostic(Severity.WARNING, "b", "a", 1),)),
    LinkResult(artifacts=(Artifact("app", b"data", executable=True),), report="[]", observed=(Observed("a", None),)),
    _MODULE,
    IndexedThinModules((ThinModule(name="a", crate="c", data=b"", imports=(ThinBuffer("b", b"x"),)),), ((0, -1),)),
)
_KEY = "00" * 32
_CRATE = identified(
    CrateMetadata(
        name="noise",
        version="1",
        backend="stub",
        fingerprint="f",
        target="t",
        crate_types=(CrateType.RLIB, CrateType.DYLIB),
        dependencies=(CrateReference("a", "0" * 16, "1" * 64),),
        options=Options(tuple(sorted((spec.name, spec.default) for spec in CORE_OPTIONS))),
        modules=(_MODULE, replace(_MODULE, name="b.o", data=b"")),
        metadata=("x",),
    )
)


def _entry(data: bytes) -> None:
    for alternative in decode_alternatives(open_entry(_KEY, seal_entry(_KEY, data))):
        result_of(alternative.result)


def _result(data: bytes) -> None:
    value = result_of(data)
    assert result_of(result_bytes(value)) == value


def _sealed(data: bytes) -> bytes:
    """Return the data with the right digest after the last magic word, if its header is complete."""
    start = data.rfind(b"cratewright")
    begin = data.find(b"\n", start) + 1 if start >= 0 else 0
    begin += 3 if data[begin : begin + 3] == b"\x00\xd5\x1b" else 0
    size = int.from_bytes(data[begin + 4 : begin + 8], "big")
    end = begin + 40 + size
    if start < 0 or end > len(data):
        return data
    return data[:end] + hashlib.sha256(data[start:end]).digest() + data[end + 32 :]


def _stage(data: bytes) -> None:
    record = decode_record(data)
    if record is not None:
        assert decode_record(encode_record(record)) == record
        record.report_rows()


_PAST = history.Record((("kind", "link"),), (("a", None),), (Change("a", "b", "c"),))


def _history(data: bytes) -> None:
    for _, record in history._HISTORY.decode(data)[1]:
        history._RECORD.decode(record)


def _depfile(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    parse_link_depfile(text, escaped=bool(len(data) % 2))
    decode_depfile(text, name="x")


def _spirv(data: bytes) -> None:
    module = parse(data, "x", foreign=True)
    assert parse(module.encode(), "x").instructions == module.instructions
    for instruction in module.instructions:
        module.ids(instruction)


def _spirv_seeds() -> Iterable[bytes]:
    words = [0x07230203, 0x10500, 0, 9, 0, *build(17, 1), *build(14, 0, 1), *build(15, 5, 1, *literal("main"))]
    words += [*build(21, 2, 32, 0), *build(43, 2, 3, 7), *build(54, 2, 1, 0, 3), *build(251, 3, 4, 7, 5), *build(56)]
    yield b"".join(word.to_bytes(4, "little") for word in words)
    yield b"".join(word.to_bytes(4, "big") for word in words)


def _compiled(*words: str) -> Iterable[bytes]:
    """Yield the output of clang for a small source, if there is a clang."""
    clang = next(
        (found for number in ("", *range(22, 14, -1)) if (found := shutil.which(f"clang{number and '-'}{number}"))), ""
    )
    if clang:
        source = b"int g; static int s(int x) { return x + g; } int f(int x) { return s(x); }"
        done = subprocess.run([clang, "-x", "c", "-", *words, "-c", "-o", "-"], input=source, stdout=-1, check=True)
        yield done.stdout


_OURS = (CratewrightError,)
DECODERS = {
    "entry": Decoder(
        _entry,
        (RecompileError,),
        lambda: [encode_alternatives([ObservedResult((Observed("a", "b"),), result_bytes(_MODULE))])],
    ),
    "result": Decoder(_result, (RecompileError,), lambda: map(result_bytes, _RESULTS)),
    "history": Decoder(
        _history,
        (DecodeError,),
        lambda: [history._HISTORY.encode((history._FORMAT, (("link: a", history._RECORD.encode(_PAST)),)))],
    ),
    "stage": Decoder(
        _stage, (), lambda: [encode_record(StageRecord((SeenFile("a", "b", 1, 2, 3, 4),), ("app",), '{"mode": "fat"}'))]
    ),
    "document": Decoder(
        lambda data: decode_document(data, interface="", path="x"), _OURS, lambda: [encode_document(_CRATE)]
    ),
    "rlib": Decoder(lambda data: decode_rlib(_sealed(data), path="x"), _OURS, lambda: [encode_rlib(_CRATE)]),
    "rlink": Decoder(lambda data: decode_rlink(_sealed(data), path="x"), _OURS, lambda: [encode_rlink(_CRATE)]),
    "dylib": Decoder(
        lambda data: decode_dylib(_sealed(data), path="x"),
        _OURS,
        lambda: [b"\x7fELF" + encode_dylib(_CRATE, ((_CRATE.reference, Linkage.STATIC),))],
    ),
    "archive": Decoder(
        lambda data: read_archive(data, path="x"),
        _OURS,
        lambda: [write_archive([Member("a.o", b"data", ("f",)), Member("a long name of a member", b"odd")])],
    ),
    "depfile": Decoder(
        _depfile, _OURS, lambda: [b"a.o: a.c b\\ c.h \\\n d$$.h\n\nb.h:\n", b"a.o: \\\n a.c \\\n b.h\n"]
    ),
    "spirv": Decoder(_spirv, _OURS, _spirv_seeds),
    "bitcode": Decoder(
        lambda data: (bitcode_major(data), bitcode_symbols(data, name="x")), _OURS, lambda: _compiled("-emit-llvm")
    ),
    "elf": Decoder(lambda data: elf_symbols(data, name="x"), _OURS, _compiled),
}
