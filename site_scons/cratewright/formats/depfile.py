"""Dependency files: one Make rule that tells another build system which files a result was made from.

Source: GNU make's manual, "Rule Syntax", and ninja's, "Depfiles": both read what gcc -MD writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..base.errors import FormatError, OutputError
from ..base.patterns import pattern

_WORD = pattern(r"(?:\\[ #\\]|\$\$|\\(?![\n ])|[^\s\\$])+")
_ESCAPE = pattern(r"\\([ #])|\$(\$)")


def encode_depfile(target: str, inputs: Iterable[str]) -> bytes:
    """Return the rule that makes a target depend on its inputs, one per line, in the order given.

    Raises: OutputError for a path that a rule cannot express.
    """
    rows = [f"{_escaped(target)}:", *(f"  {_escaped(path)}" for path in inputs)]
    return (" \\\n".join(rows) + "\n").encode("utf-8", "surrogateescape")


def decode_depfile(text: str, *, name: str) -> tuple[str, ...]:
    """Return the files of the first rule, as a compiler writes it, each once, in order.

    Shape: `name` is the compiled file, for messages.
    Raises: FormatError if the text is not a rule.
    """
    rule = text.replace("\\\r\n", " ").replace("\\\n", " ").partition("\n")[0]
    target, colon, rest = rule.partition(": ")
    if not colon:
        target, colon, rest = rule.rstrip().partition(":")
    if not colon or not target.strip():
        raise FormatError(f"{name}: the compiler wrote no list of the files it read")
    if "\\" not in rest and "$" not in rest:
        return tuple(dict.fromkeys(rest.split()))
    words = (_ESCAPE.sub(lambda match: match[1] or match[2], word) for word in _WORD.findall(rest))
    return tuple(dict.fromkeys(words))


def _escaped(path: str) -> str:
    if "\n" in path or "\r" in path:
        raise OutputError(
            f"{path!r} cannot be written to a dependency file", hint="rename it: a Make rule cannot hold a line break"
        )
    return path.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
