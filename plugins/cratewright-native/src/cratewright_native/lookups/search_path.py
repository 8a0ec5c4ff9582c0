"""Where a compiler searches for includes, from its verbose output."""

from __future__ import annotations

from cratewright import dataclass, pattern

_MISSING = pattern(r'(?m)^ignoring nonexistent directory "(.*)"$')
_QUOTED = '#include "..." search starts here:'
_ANGLED = "#include <...> search starts here:"
_END = "End of search list."


@dataclass(frozen=True, slots=True)
class SearchPath:
    """Directories in the order in which they are searched.

    Shape: `quoted` come first and for `"..."` only; `missing` were named but do not exist; paths relative to the
    project root, or absolute.
    """

    quoted: tuple[str, ...] = ()
    angled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def parse_search_path(stderr: str) -> SearchPath:
    """Parse what gcc or clang prints with `-v`; empty if it has printed no search path."""
    missing = tuple(dict.fromkeys(_MISSING.findall(stderr)))
    _, _, rest = stderr.partition(_QUOTED)
    quoted, _, rest = rest.partition(_ANGLED)
    angled, _, _ = rest.partition(_END)
    return SearchPath(_directories(quoted), _directories(angled), missing)


def _directories(text: str) -> tuple[str, ...]:
    lines = (line.strip().removesuffix(" (framework directory)") for line in text.splitlines())
    return tuple(dict.fromkeys(plain(line) for line in lines if line))


def plain(path: str) -> str:
    """Return a path without the `./` that compilers put in front; the directory itself is an empty string."""
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return "" if path == "." else path.rstrip("/") or "/"
