"""`env.CrateEmbed`: images of crates as an object file, with a header that declares them.

Everything about the images comes from their manifests.
"""

from __future__ import annotations

import inspect
import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING

import SCons.Action
import SCons.Builder
import SCons.Errors
import SCons.Node.FS
import SCons.Util

from ...base.digest import content_digest
from ...base.errors import ConfigurationError, CratewrightError
from ...formats.c_layout import StructWriter
from ...formats.embed import EmbeddedEntry, embedded_entries, header_text, source_text
from ...formats.variant_header import VariantRow
from ...system.fs import read_bytes, write_if_changed
from ...values.crate import check_crate_name
from ..nodes.crate_target import CrateTarget
from ..nodes.made_file import compare_by_content
from ..nodes.node import Node
from ..nodes.paths import relative

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment


class EmbedTarget(SCons.Util.NodeList):  # type: ignore[misc]
    """What `env.CrateEmbed` returns: a list of the object file, usable as a source of a program or library.

    Shape: `header` and `source` are the nodes of the C header and of the assembly source. A slice or a sum, which
    SCons makes of the objects alone, has none.
    """

    def __init__(self, objects: list[Node], header: Node | None = None, source: Node | None = None) -> None:
        super().__init__(objects)
        self.header = header
        self.source = source


def embed(env: Environment, name: str, crates: object, *, shared: bool = True) -> EmbedTarget:
    """Declare the object `NAME.o` and the header `NAME.h` for the images of some crates.

    Shape: with `shared`, the object can be part of a shared library as well as of a program.
    Raises: ConfigurationError naming a crate without images, or a compiler that cannot read binary files.
    """
    try:
        check_crate_name(name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{name!r} cannot be the name of what is embedded", hint=error.hint) from error
    targets = _crates(name, crates)
    if env.get("CC") in (None, "", "cl"):
        raise ConfigurationError(
            f"'{name}' needs a compiler that assembles .incbin",
            context=(("CC", str(env.get("CC") or "not set")),),
            hint='use tools=["default", cratewright.tool], or set CC to gcc or clang',
        )
    header, source = env.File(f"{name}.h"), env.File(f"{name}_embed.S")
    manifests = [target.manifest for target in targets]
    for node in (header, source):
        if node.has_explicit_builder() and list(node.sources) != manifests:
            raise ConfigurationError(
                f"'{name}' would make {node}, which is already made",
                context=(("made of", " ".join(map(str, node.sources)) or "nothing"),),
                hint="give each a name of its own, such as that of its variant or target",
            )
    made = _TEXTS(env, [header, source], manifests, CRATE_EMBED_NAME=name)
    for node in made:
        compare_by_content(node)
        # It is rewritten only if its content changes, since users of the header are rebuilt then.
        node.set_precious()
        node.set_nocache()
    build = env.SharedObject if shared else env.Object
    objects = build(f"{name}_embed", source)
    # The assembler reads the images; SCons's scanner for assembly does not know .incbin.
    env.Depends(objects, [*manifests, *(target.image for target in targets)])
    for node in objects:
        compare_by_content(node)
    return EmbedTarget(list(objects), header, source)


def _crates(name: str, crates: object) -> list[CrateTarget]:
    if isinstance(crates, CrateTarget) and crates.is_crate:
        found: Sequence[object] = [crates]
    else:
        found = list(crates) if isinstance(crates, (list, tuple, SCons.Util.UserList)) else [crates]
    targets: list[CrateTarget] = []
    for item in found:
        if not isinstance(item, CrateTarget) or not item.is_crate:
            raise ConfigurationError(f"'{name}' can embed only crates, not {item}", hint="pass what env.Crate returned")
        if item.targets:
            raise ConfigurationError(
                f"crate '{item.name}' is for several targets, and '{name}' can embed the images of one",
                context=(("targets", " ".join(item.targets)),),
                hint=f'pass the crate for one of them: {item.name}.targets["{next(iter(item.targets))}"]',
            )
        if item.manifest is None or item.image is None:
            raise ConfigurationError(
                f"crate '{item.name}' has no images for '{name}' to embed", hint='declare it with crate_type="cdylib"'
            )
        targets.append(item)
    if not targets:
        raise ConfigurationError(f"'{name}' is given no crate to embed")
    return targets


def _write(target: list[Node], source: list[Node], env: Environment) -> None:
    name = str(env["CRATE_EMBED_NAME"])
    try:
        manifests = [(str(node), read_bytes(str(node.abspath), role="manifest")) for node in source]
        entries = embedded_entries(name, manifests)
        places = [posixpath.dirname(relative(node)) for node in source]
        paths = [posixpath.join(places[entry.manifest], entry.image) for entry in entries]
        write_if_changed(str(target[0].abspath), header_text(name, entries, manifests).encode())
        write_if_changed(str(target[1].abspath), source_text(entries, paths).encode())
    except CratewrightError as error:
        raise SCons.Errors.BuildError(node=target[0], errstr=str(error), status=2, exitstatus=2) from error


class _Write:
    def __call__(self, target: list[Node], source: list[Node], env: Environment) -> None:
        _write(target, source, env)

    def get_contents(self, target: list[Node], source: list[Node], env: Environment) -> bytes:
        # SCons would use only the bytecode of this class.
        return f"{env['CRATE_EMBED_NAME']} {_code()}".encode()


def _code() -> str:
    """Return the digest of the code that writes these texts: another version may write others."""
    return content_digest(
        b"".join(read_bytes(inspect.getfile(item)) for item in (StructWriter, VariantRow, EmbeddedEntry))
    )


_TEXTS = SCons.Builder.Builder(action=SCons.Action.Action(_Write(), "Embedding $SOURCES as $TARGET"))
