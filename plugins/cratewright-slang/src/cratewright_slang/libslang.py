"""Slang's interfaces: sessions, modules, linked programs.

Paths are those under which files are requested; modules are complete bytes.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cratewright import ToolError, dataclass

from .com import Object, blob_bytes
from .file_system import ProjectFileSystem, inside, outside, with_names_outside
from .structures import Macro, Option, SessionDescription, SlangOptionValue, TargetDescription
from .wheel import library

_I32, _U32, _SIZE, _TEXT, _PTR = ctypes.c_int32, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
_OUT = ctypes.POINTER(ctypes.c_void_p)
_INT = ctypes.c_ssize_t

# Indexes in the tables, after the three functions that every interface begins with.
_CREATE_SESSION, _FIND_PROFILE = 3, 4
_LOAD_SOURCE, _COMPOSITE, _LOAD_IR, _LOADED_COUNT, _LOADED_AT = 5, 6, 16, 17, 18
_ENTRY_CODE, _PARAMETERS, _LINK, _RENAME, _CODE = 6, 5, 10, 12, 14
_ENTRY_COUNT, _ENTRY_AT, _SERIALIZE, _PATH = 18, 19, 20, 23
_LAYOUT = 4

_SPIRV = 6
_DIRECTLY = 1 << 10


class Refused(Exception):
    """Slang refused its input; holds its log."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings that decide how sources are parsed and code is generated.

    Shape: `profile` is one of Slang's, such as `spirv_1_5`; `options` maps Slang's option numbers to values.
    """

    profile: str
    paths: tuple[str, ...] = ()
    macros: tuple[tuple[str, str], ...] = ()
    columns: bool = False
    floating: int = 0
    options: tuple[tuple[int, int], ...] = ()


_FILL = -6  # M_PERTURB of glibc
_ZEROS = 0xFF


@contextmanager
def blank_memory() -> Iterator[None]:
    """Let new memory be zero: Slang writes fields into a module that it has never set, such as one of each `enum`.

    Other C libraries than glibc cannot do that.
    """
    fill = getattr(ctypes.CDLL(None), "mallopt", None)
    if fill is None:
        yield
        return
    fill(_FILL, _ZEROS)
    try:
        yield
    finally:
        fill(_FILL, 0)


class SlangModule:
    """A module of a session, which it belongs to."""

    def __init__(self, object_: Object) -> None:
        self.object = object_

    def serialize(self) -> bytes:
        out = ctypes.c_void_p()
        # Slang makes paths relative to the working directory, with as many `..` as it is deep.
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir("/")
            status = self.object.call(_SERIALIZE, _I32, (_OUT,), ctypes.byref(out))
        finally:
            os.fchdir(here)
            os.close(here)
        if status < 0:
            raise Refused("the module cannot be serialised")
        return blob_bytes(out.value)

    def entry_count(self) -> int:
        """Return how many entry points it defines."""
        count: int = self.object.call(_ENTRY_COUNT, _I32, ())
        return count

    def entry_point(self, at: int) -> Object:
        out = ctypes.c_void_p()
        if self.object.call(_ENTRY_AT, _I32, (_I32, _OUT), at, ctypes.byref(out)) < 0 or not out.value:
            raise Refused(f"there is no entry point {at}")
        return Object(out.value)

    @property
    def path(self) -> str:
        """Return the path where it was found."""
        return outside((self.object.call(_PATH, _TEXT, ()) or b"").decode())


def parameter_count(entry: Object) -> int:
    """Return the number of generic parameters of an entry point."""
    count: int = entry.call(_PARAMETERS, _INT, ())
    return count


def renamed(entry: Object, name: str) -> Object:
    """Return an entry point under another name."""
    out = ctypes.c_void_p()
    if entry.call(_RENAME, _I32, (_TEXT, _OUT), name.encode(), ctypes.byref(out)) < 0 or not out.value:
        raise Refused("an entry point cannot be renamed")
    return Object(out.value)


def reflection(program: Object) -> int:
    """Return the layout of a program, which owns it.

    Raises: Refused.
    """
    log = ctypes.c_void_p()
    layout: int | None = program.call(_LAYOUT, _PTR, (_INT, _OUT), 0, ctypes.byref(log))
    messages = _log_text(log)
    if not layout:
        raise Refused(messages or "a program has no layout")
    return layout


class SlangSession:
    """Modules that import each other by name; `read` returns the content of a path."""

    def __init__(self, settings: Settings, read: Callable[[str], bytes | None]) -> None:
        api = library()
        self._api = api
        self.files = ProjectFileSystem(read, api.blob)
        options = (Option * len(settings.options))(
            *(Option(name, SlangOptionValue(0, value, 0, None, None)) for name, value in settings.options)
        )
        profile = api.session.call(_FIND_PROFILE, _U32, (_TEXT,), settings.profile.encode())
        if not profile:
            raise ToolError(f"Slang does not know the profile '{settings.profile}'")
        target = TargetDescription(ctypes.sizeof(TargetDescription), _SPIRV, profile, _DIRECTLY, settings.floating)
        macros = (Macro * len(settings.macros))(
            *(Macro(name.encode(), value.encode()) for name, value in settings.macros)
        )
        paths = (_TEXT * len(settings.paths))(*(inside(path).encode() for path in settings.paths))
        given = SessionDescription(
            size=ctypes.sizeof(SessionDescription),
            targets=ctypes.addressof(target),
            target_count=1,
            matrices=2 if settings.columns else 1,
            paths=ctypes.addressof(paths),
            path_count=len(paths),
            macros=ctypes.addressof(macros),
            macro_count=len(macros),
            files=self.files.pointer,
            options=ctypes.addressof(options),
            option_count=len(options),
            unchecked=True,
        )
        out = ctypes.c_void_p()
        failed = api.session.call(_CREATE_SESSION, _I32, (_PTR, _OUT), ctypes.addressof(given), ctypes.byref(out))
        if failed < 0 or not out.value:
            raise ToolError("Slang cannot make a session", context=(("status", hex(failed & 0xFFFFFFFF)),))
        self._session = Object(out.value)
        self._programs: list[Object] = []

    def modules(self) -> list[SlangModule]:
        """Return all modules that were loaded, in order."""
        count = self._session.call(_LOADED_COUNT, _INT, ())
        found = (self._session.call(_LOADED_AT, _PTR, (_INT,), at) for at in range(count))
        # A session keeps them: these references are not ours.
        return [SlangModule(Object(each)) for each in found]

    def close(self) -> None:
        """Free its memory, and that of the programs linked in it."""
        for program in self._programs:
            program.release()
        self._session.release()

    def load_source(self, name: str, path: str, text: bytes) -> tuple[SlangModule, str]:
        """Return the module of a source and the messages about it.

        Raises: Refused.
        """
        return self._load(_LOAD_SOURCE, name, path, text)

    def load_ir(self, name: str, path: str, data: bytes) -> tuple[SlangModule, str]:
        """Load a serialised module; its imports must be loaded.

        Raises: Refused.
        """
        return self._load(_LOAD_IR, name, path, data)

    def _load(self, at: int, name: str, path: str, data: bytes) -> tuple[SlangModule, str]:
        blob, log = Object(self._api.blob(data)), ctypes.c_void_p()
        types = (_TEXT, _TEXT, _PTR, _OUT)
        found = self._session.call(
            at, _PTR, types, name.encode(), inside(path).encode(), blob.pointer, ctypes.byref(log)
        )
        blob.release()
        messages = _log_text(log)
        if not found:
            raise Refused(messages)
        return SlangModule(Object(found)), messages

    def link(self, parts: Sequence[Object]) -> Object:
        """Link components to a program, which the session keeps.

        Raises: Refused.
        """
        pointers = (ctypes.c_void_p * len(parts))(*(part.pointer for part in parts))
        composite = self._step(self._session, _COMPOSITE, (_PTR, _INT), ctypes.addressof(pointers), len(parts))
        linked = self._step(composite, _LINK, ())
        composite.release()
        self._programs.append(linked)
        return linked

    def code(self, program: Object) -> bytes:
        """Return the code of a program with one entry point.

        Raises: Refused.
        """
        return self._bytes(program, _ENTRY_CODE, (_INT, _INT), 0, 0)

    def code_of_all(self, program: Object) -> bytes:
        """Return the code of a program with all its entry points, whose names differ.

        Raises: Refused.
        """
        return self._bytes(program, _CODE, (_INT,), 0)

    def _bytes(self, on: Object, at: int, types: tuple[Any, ...], *arguments: Any) -> bytes:
        return blob_bytes(self._step(on, at, types, *arguments).pointer)

    def _step(self, on: Object, at: int, types: tuple[Any, ...], *arguments: Any) -> Object:
        out, log = ctypes.c_void_p(), ctypes.c_void_p()
        order = (ctypes.byref(out), ctypes.byref(log))
        failed = on.call(at, _I32, (*types, _OUT, _OUT), *arguments, *order)
        messages = _log_text(log)
        if failed < 0 or not out.value:
            raise Refused(messages)
        return Object(out.value)


def _log_text(log: ctypes.c_void_p) -> str:
    return with_names_outside(blob_bytes(log.value).decode(errors="replace"))
