"""Classifies a source by its suffix and its text: language, stages, entry points, output names.

A classified source may still not compile.
"""

from __future__ import annotations

import posixpath
import re

from cratewright import ConfigurationError, SourceError, dataclass, near_miss, pattern

from ..base.stages import SHADER_LANGUAGES, STAGE_NAMES, STAGES, SUFFIXES
from .includes import plain_lines
from .scan import shader_entries

_PRAGMA_STAGES = {stage.name.replace("-", ""): stage.word for stage in STAGES}
_ATTRIBUTE_STAGES = {word: stage.word for stage in STAGES for word in stage.attributes}
_PRAGMA = pattern(rb"^[ \t]*#[ \t]*pragma[ \t]+shader_stage[ \t]*\([ \t]*(\w*)[ \t]*\)", re.M)
_VERSION = pattern(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*#[ \t]*version[ \t]+(\d+)", re.S)


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """One compilation of a source.

    Shape: `language` is glsl, hlsl, spvasm or spv; `stage` is a suffix word, None for functions of
    any stage; `name` is the base name of the entry point's output: `clouds.comp` for `clouds.comp`
    and `clouds.comp.glsl`, `post.frag` for `post.frag.hlsl`, and `post.ENTRY` where a source has
    several entry points.
    """

    language: str
    stage: str | None
    entry_point: str
    name: str


def classify(path: str, text: bytes, entry_point: str | None = None) -> tuple[SourceUnit, ...]:
    """Return the units of a source: one, or one for each `[shader("...")]` function of an HLSL source.

    Raises: ConfigurationError for an unknown suffix, SourceError for an unknown or contradicted stage.
    """
    stem, language, stage = _suffixes(path)
    if language in ("spvasm", "spv"):
        return (SourceUnit(language, None, entry_point or "main", posixpath.basename(path)),)
    text = plain_lines(text)
    stage = _pragma(path, text, stage)
    if language == "hlsl":
        entries = _attributes(path, text)
        if entry_point is not None:
            entries = [(word, name) for word, name in entries if name == entry_point]
        if len(entries) == 1:
            stage, entry_point = entries[0]
        elif entries:
            return tuple(SourceUnit("hlsl", kind, name, f"{stem}.{name}") for kind, name in entries)
    name = stem if stage is None else f"{stem}.{stage}"
    # GLSL has a fixed name for entry points; a crate's option applies to its HLSL sources.
    wanted = entry_point if entry_point is not None and language == "hlsl" else "main"
    return (SourceUnit(language, stage, wanted, name),)


def glsl_version(text: bytes) -> int | None:
    """Return the `#version` of a GLSL source, if it has one."""
    match = _VERSION.match(text)
    return int(match.group(1)) if match else None


def _suffixes(path: str) -> tuple[str, str, str | None]:
    """Return the stem, the language and the stage of a path."""
    stem, dot, last = posixpath.basename(path).rpartition(".")
    if last in STAGE_NAMES and stem:
        return stem, "glsl", last
    if last not in SHADER_LANGUAGES or not stem:
        raise ConfigurationError(
            f"{path} is not a source that this backend knows",
            context=(("suffixes", " ".join(SUFFIXES)),),
            hint=near_miss(dot + last, SUFFIXES) if dot else "give the file one of these suffixes",
        )
    inner, _, stage = stem.rpartition(".")
    if inner and stage in STAGE_NAMES:
        return inner, last, stage
    return stem, last, None


def _pragma(path: str, text: bytes, stage: str | None) -> str | None:
    match = _PRAGMA.search(text) if b"shader_stage" in text else None
    if match is None:
        return stage
    line = text.count(b"\n", 0, match.start()) + 1
    word = match.group(1).decode()
    named = _PRAGMA_STAGES.get(word)
    if named is None:
        raise SourceError.at(path, line, f"unknown shader stage '{word}'", hint=near_miss(word, _PRAGMA_STAGES))
    if stage not in (None, named):
        raise SourceError.at(
            path,
            line,
            f"the pragma says {named}, but the suffix says {stage}",
            hint="remove the pragma, or rename the file",
        )
    return named


def _attributes(path: str, text: bytes) -> list[tuple[str, str]]:
    entries = []
    for word, name in shader_entries(text):
        stage = _ATTRIBUTE_STAGES.get(word)
        if stage is None:
            at = text.find(f'"{word}"'.encode())
            line = text.count(b"\n", 0, max(at, 0)) + 1
            raise SourceError.at(
                path,
                line,
                f"unknown shader stage '{word}'",
                hint=near_miss(word, _ATTRIBUTE_STAGES),
            )
        entries.append((stage, name))
    return entries
