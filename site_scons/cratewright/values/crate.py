"""A crate as the user declared it, its types and the names of its files."""

from __future__ import annotations

from ..base.errors import ConfigurationError, UnknownNameError, near_miss
from ..base.host import WINDOWS, is_absolute
from ..base.patterns import pattern
from ..base.values import dataclass
from .crate_type import CrateType
from .identity import CrateId, CrateReference, stable_crate_id
from .options import Options

UNVERSIONED = "0.0.0"
"""The version of a crate that declares none."""

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_LONGEST = 200
"""File names have up to 255 bytes, and those of a crate contain more than its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of a crate.

    Shape: `path` is `/`-separated and relative to the project root, with `..` for a file outside it, or absolute if
    that has no directory in common with the root; `name` is the unit's name, unique within the crate; `options` are
    complete. `file` is where the source is read if it lies in a repository, which results must not show. `variant` is
    what `variants.Variant.encode` returned, if it is one.
    """

    path: str
    name: str
    options: Options
    file: str = ""
    variant: str = ""

    @property
    def location(self) -> str:
        """Where the source is read, relative to the project root or absolute."""
        return self.file or self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A named set of sources with everything that decides how they are built.

    Shape: `sources` in the order given, at least one; `dependencies` in the order declared, unique, with unknown
    interfaces; `crate_types` in the order given, unique; `metadata` are words that distinguish the crate from others of
    its name and version. `repositories` are absolute directories, searched in order for files missing from the
    project; such files are named as if they were in the project. `for_lto` is false only if all links of its modules
    are known and none optimizes modules together; `for_code` is true if a known link uses each module's own code.
    """

    name: str
    version: str
    backend: str
    target: str
    profile: str
    crate_types: tuple[CrateType, ...]
    sources: tuple[Source, ...]
    dependencies: tuple[CrateReference, ...]
    options: Options
    metadata: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    for_lto: bool = True
    for_code: bool = False

    @property
    def stable_id(self) -> CrateId:
        """The crate's identity, whatever it contains."""
        return stable_crate_id(self.name, self.version, self.metadata)


def check_crate_name(name: object) -> str:
    """Return a valid crate name.

    Raises: ConfigurationError for a name that cannot be part of a file name and a symbol.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise ConfigurationError(
            f"{name!r} is not a crate name",
            hint="use letters, digits, '_' and '-', not starting with a digit",
        )
    if len(name) > _LONGEST:
        raise ConfigurationError(
            f"'{name[:20]}...' is too long for a crate name", hint=f"files are named after it: use up to {_LONGEST}"
        )
    return name


def parse_crate_types(value: object, *, crate: str) -> tuple[CrateType, ...]:
    """Parse `crate_type`: one word or a list of words.

    Raises: UnknownNameError with the near miss; ConfigurationError for none, or for `bin` beside others.
    """
    words = [value] if isinstance(value, (str, CrateType)) else list(value) if isinstance(value, (list, tuple)) else []
    known = {kind.value: kind for kind in CrateType}
    types: list[CrateType] = []
    for word in words:
        text = word.value if isinstance(word, CrateType) else str(word)
        if text not in known:
            raise UnknownNameError(
                f"unknown crate type '{text}'",
                context=(("crate", crate), ("known", " ".join(known))),
                hint=near_miss(text, known, listed=True),
            )
        if known[text] not in types:
            types.append(known[text])
    if not types:
        raise ConfigurationError(f"crate '{crate}' asks for no crate type", hint="crate_type='rlib' is the default")
    if CrateType.BIN in types and len(types) > 1:
        raise ConfigurationError(
            f"crate '{crate}' mixes 'bin' with other crate types",
            context=(("asked for", " ".join(kind.value for kind in types)),),
            hint="declare the program as a crate of its own that depends on this one",
        )
    return tuple(types)


def unit_name(path: str, crate_dir: str) -> str:
    """Return the unit name of a source.

    Shape: `/`-separated; each `..` out of the crate's directory becomes `__`, so that the name is a valid file name
    below any directory.
    """
    below = f"{crate_dir}/" if crate_dir else ""
    if path.startswith(below) and path[:1] != "." and not is_absolute(path) and "/." not in path and "//" not in path:
        return path.removeprefix(below)  # most are
    base = [part for part in crate_dir.split("/") if part not in ("", ".")]
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if is_absolute(path) and not is_absolute(crate_dir):
        return "/".join(["__root", *(part.replace(":", "") if WINDOWS else part for part in parts)])
    common = 0
    while common < min(len(base), len(parts) - 1) and base[common] == parts[common]:
        common += 1
    steps = ["__"] * (len(base) - common)
    return "/".join([*steps, *("__" if part == ".." else part for part in parts[common:])])
