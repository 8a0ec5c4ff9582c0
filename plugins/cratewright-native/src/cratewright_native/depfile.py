"""The list of files that a compiler or a linker read, as they write it for Make.

Knows nothing of what the files are.
"""

from __future__ import annotations

import re

from cratewright import FormatError

__all__ = ["parse_depfile", "parse_link_depfile"]

_WORD = re.compile(r"(?:\\[ #\\]|\$\$|\\(?![\n ])|[^\s\\$])+")
_ESCAPE = re.compile(r"\\([ #])|\$(\$)")


def parse_depfile(text: str, *, name: str) -> tuple[str, ...]:
    """Return the files of the first rule, each once, in order.

    Raises: FormatError naming the unit if it is no rule.
    """
    rule = text.replace("\\\r\n", " ").replace("\\\n", " ").partition("\n")[0]
    target, colon, rest = rule.partition(": ")
    if not colon:
        target, colon, rest = rule.rstrip().partition(":")
    if not colon or not target.strip():
        raise FormatError(f"{name}: the compiler wrote no list of the files it read")
    words = (_ESCAPE.sub(lambda match: match[1] or match[2], word) for word in _WORD.findall(rest))
    return tuple(dict.fromkeys(words))


def parse_link_depfile(text: str, *, escaped: bool) -> tuple[str, ...]:
    """Return the files of a linker's list, each once, in order.

    Shape: one a line, written as they are unless `escaped`, as only ld.lld does it.
    """
    rule = text.partition("\n\n")[0].splitlines()[1:]
    found = dict.fromkeys(line.strip().removesuffix(" \\") for line in rule)
    return tuple(_ESCAPE.sub(lambda match: match[1] or match[2], path) for path in found) if escaped else tuple(found)
