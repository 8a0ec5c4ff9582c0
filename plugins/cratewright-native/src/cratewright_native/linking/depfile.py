"""The dependency file in Make syntax that a linker writes."""

from __future__ import annotations

from cratewright import pattern

__all__ = ["parse_link_depfile"]

_ESCAPE = pattern(r"\\([ #])|\$(\$)")


def parse_link_depfile(text: str, *, escaped: bool) -> tuple[str, ...]:
    """Return the files of a linker's list, each once, in order.

    Shape: one per line, verbatim unless `escaped` (only ld.lld escapes).
    """
    rule = text.partition("\n\n")[0].splitlines()[1:]
    found = dict.fromkeys(line.strip().removesuffix(" \\") for line in rule)
    return tuple(_ESCAPE.sub(lambda match: match[1] or match[2], path) for path in found) if escaped else tuple(found)
