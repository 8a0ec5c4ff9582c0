"""What a text in a C-like language includes, by its words alone, regardless of conditions."""

from __future__ import annotations

import os

from ..base.patterns import pattern

_INCLUDE = pattern(
    rb"(?:#[ \t]*(?:include(?:_next)?|import|embed)|__has_(?:include(?:_next)?|embed)[ \t]*\(|\.inc(?:bin|lude)\b)"
    rb'(?:[ \t]|\\\r?\n)*["<]([^">\r\n]+)[">]'
)
"""Includes of the C preprocessor and of assemblers; GLSL and HLSL have the same."""


def included_names(text: bytes) -> tuple[str, ...]:
    """Return the names of files that a text includes, embeds or tests for, as spelled there, each once."""
    return tuple(os.fsdecode(name) for name in dict.fromkeys(_INCLUDE.findall(text)))
