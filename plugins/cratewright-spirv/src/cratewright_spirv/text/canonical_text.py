"""A unit with its includes, as the compiler needs it: without comments, untaken branches and unused macros.

When uncertain, it keeps the text, or gives up. So texts with the same canonical text are the same program; this text is
what is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cratewright import SourceError, pattern

from .conditions import Macros
from .directives import Obscure, parse_file
from .includes import MAX_DEPTH, IncludeResolver
from .pieces import Define, Directive, Group, Include, Lines, Piece

Defines = tuple[tuple[str, "str | None"], ...]

# The macro, named as in DXC, by which a header that serves both languages recognises its language.
_HLSL_DEFINES: Defines = (("__HLSL_VERSION", "2016"),)
_EXTENSION = b"GL_GOOGLE_include_directive"
_NAME = pattern(rb"[A-Za-z_]\w*")
# What the value of a given macro may not contain, because it would affect other lines.
_UNRULY = pattern(r"[\n\r\\]|/[*/]")
# These reveal their position.
_SELF_AWARE = frozenset({b"__LINE__", b"__FILE__"})
_SPLICES_FROM = 420
_LINES_FROM = 330
# Up to this many empty lines are shorter than the directive that skips them.
_FEW_LINES = 8
# A unit with more includes than this is a mistake or a stress test.
_MOST_FILES = 20_000
# A piece and the shown name of its file.
_FilePiece = tuple["Lines | Directive | Define", str]


class Canonical:
    """The text of a unit and its includes, and the origin of each line."""

    def __init__(self, path: str, pieces: Sequence[_FilePiece], defines: Defines, *, positions: bool) -> None:
        self.defines = defines
        self.prototypes = any(isinstance(piece, Lines) and piece.prototypes for piece, _ in pieces)
        self._path, self._pieces = path, pieces
        self._line_positions: tuple[tuple[str, int], ...] | None = None
        lines = [piece.text or b"" for piece, _ in pieces]
        self.text = _with_positions(path, pieces) if positions else b"\n".join([*lines, b""])

    @property
    def line_positions(self) -> tuple[tuple[str, int], ...]:
        """The file and line of each line that holds tokens, in order."""
        if self._line_positions is None:
            self._line_positions = tuple((file, line) for piece, file in self._pieces for line in piece.lines)
        return self._line_positions

    @property
    def runs(self) -> tuple[tuple[str, str], ...]:
        """The same in short: each piece's file and its line numbers, separated by spaces."""
        return tuple((file, piece.numbers) for piece, file in self._pieces)

    @property
    def origins(self) -> str:
        """Numbers of lines, alternately the unit's own and of includes, whose functions are not exported."""
        runs, own = [0], True
        for piece, file in self._pieces:
            if (file == self._path) is not own:
                own = not own
                runs.append(0)
            runs[-1] += len(piece.lines)
        return " ".join(map(str, runs))


def with_language(defines: Defines, language: str) -> Defines:
    """Return macros with those that identify the language, unless the user sets them."""
    return tuple({**dict(_HLSL_DEFINES), **dict(defines)}.items()) if language == "hlsl" else defines


def canonical_lines(
    path: str, text: bytes, language: str, defines: Defines, includes: IncludeResolver, *, positions: bool
) -> Canonical | None:
    """Return the canonical form of a unit, or None if it is uncertain.

    Shape: with `positions` the text keeps every line's file and number, for debug information.
    """
    walker = _Walker(path, language, defines, includes)
    if any(_UNRULY.search(value) for _, value in defines if value):
        return None
    try:
        walker.file(path, text, 0)
        pieces, kept = walker.used(defines)
    except (Obscure, SourceError, RecursionError):  # the compiler decides how deep a source may nest
        return None
    return Canonical(path, pieces, kept, positions=positions)


class _Walker:
    def __init__(self, path: str, language: str, defines: Defines, includes: IncludeResolver) -> None:
        self._path, self._glsl, self._includes = path, language == "glsl", includes
        self._macros = Macros()
        for name, value in with_language(defines, language):
            self._macros.define(name.encode(), (value or "").strip().encode())
        self._out: list[_FilePiece] = []
        self._once: set[str] = set()
        self._spliced = False
        self._files = 0
        self.included = False

    def file(self, shown: str, text: bytes, depth: int) -> None:
        """Walk a file and what it includes."""
        found = parse_file(shown, text)
        self._spliced = self._spliced or found.spliced
        self._walk(found.items, shown, depth, certain=True)

    def used(self, defines: Defines) -> tuple[list[_FilePiece], Defines]:
        """Return the pieces and the given macros, without unused macros."""
        pieces = self._versioned()
        names: dict[bytes, list[Define]] = {name.encode(): [] for name, _ in defines}
        words = set[bytes]()
        for piece, _ in pieces:
            if not isinstance(piece, Define):
                words |= piece.words
            else:
                names.setdefault(piece.name, []).append(piece)
        given = {name.encode(): value or "" for name, value in defines}
        wanted = self._wanted(names, given, words)
        bodies = ((name, each.text) for name, found in names.items() for each in found)
        if any(b"##" in text and name in wanted for name, text in bodies) or any(
            "##" in text for text in given.values()
        ):
            # Pasted names are not visible here.
            wanted = self._wanted(names, given, {*words, *names})
        if not _SELF_AWARE.isdisjoint(wanted):
            raise Obscure
        kept = [at for at in pieces if not isinstance(at[0], Define) or at[0].name in wanted]
        return kept, tuple((name, value) for name, value in defines if name.encode() in wanted)

    def _wanted(self, names: dict[bytes, list[Define]], given: dict[bytes, str], words: set[bytes]) -> set[bytes]:
        """Return all used names: those of the text, of used macros, and of macros that may be mistakes."""
        wanted, todo = set(words), []
        for name, found in names.items():
            if (
                name in wanted
                or len(found) + (name in given) > 1
                or (found and found[0].undefines)
                or name.startswith(b"GL_")
                or b"__" in name
                or name == b"defined"
            ):
                wanted.add(name)
                todo.append(name)
        while todo:
            name = todo.pop()
            bodies = set(_words(given[name])) if given.get(name) else set[bytes]()
            bodies.update(*[each.words for each in names[name]])
            bodies -= wanted
            todo += [word for word in bodies if word in names]
            wanted |= bodies
        return wanted

    def _versioned(self) -> list[_FilePiece]:
        """Return the pieces, with the GLSL extension that includes need."""
        out = self._out
        if not self._glsl:
            return out
        at = next((k for k, each in enumerate(out) if (each[0].text or b"").startswith(b"#version ")), -1)
        version = (out[at][0].text or b"").split() if at >= 0 else []
        if at > 0 or b"es" in version:
            raise Obscure
        number = int(version[1]) if len(version) > 1 and version[1].isdigit() else _SPLICES_FROM
        if number < _LINES_FROM or (self._spliced and number < _SPLICES_FROM):
            raise Obscure
        if not self.included or any(_EXTENSION in piece.words for piece, _ in out if isinstance(piece, Directive)):
            return out
        line = out[at][0].lines if at >= 0 else (1,)
        extension = Directive(b"#extension %s : require" % _EXTENSION, line, frozenset())
        return [*out[: at + 1], (extension, self._path), *out[at + 1 :]]

    def _walk(self, items: Iterable[Piece], file: str, depth: int, *, certain: bool) -> None:
        out = self._out
        for item in items:
            if isinstance(item, Lines):
                if item.text or (item.text is None and item.read()):
                    out.append((item, file))
            elif isinstance(item, Group):
                self._choose(item, file, depth, certain=certain)
            elif isinstance(item, Define):
                out.append((item, file))
                self._define(item, certain=certain)
            elif isinstance(item, Include):
                self._include(item, file, depth, certain=certain)
            else:
                out.append((item, file))

    def _define(self, item: Define, *, certain: bool) -> None:
        if not certain:
            self._macros.doubt(item.name)
        elif item.undefines:
            self._macros.undefine(item.name)
        else:
            self._macros.define(item.name, item.body)

    def _choose(self, group: Group, file: str, depth: int, *, certain: bool) -> None:
        """Walk the branch that is taken, or all that may be taken."""
        doubt = False
        for branch in group.branches:
            answer = 1 if branch.condition is None else branch.condition(self._macros)
            if answer == 0:
                continue
            if answer is not None and not doubt:
                self._walk(branch.items, file, depth, certain=certain)
                return
            if answer is None:
                text = b"#%s %s" % (b"elif" if doubt else b"if", branch.expression)
                self._mark(text, branch.expression, branch.line, file)
            else:
                self._mark(b"#else", b"", branch.line, file)
            doubt = True
            self._walk(branch.items, file, depth, certain=False)
            if answer is not None:
                break
        if doubt:
            self._mark(b"#endif", b"", group.end, file)

    def _mark(self, text: bytes, expression: bytes, line: int, file: str) -> None:
        words = frozenset(_words(expression.decode(errors="replace")))
        self._out.append((Directive(text, (line,), words), file))

    def _include(self, item: Include, file: str, depth: int, *, certain: bool) -> None:
        # The compiler decides whether the file must exist.
        self._files += 1
        if not certain or depth >= MAX_DEPTH or self._files > _MOST_FILES:
            raise Obscure
        found = self._includes.find(item.name, file, angled=item.angled, depth=depth + 1)
        self.included = True
        if found.shown in self._once:
            return
        if found.once:
            self._once.add(found.shown)
        self.file(found.shown, found.text, depth + 1)


def _words(text: str) -> list[bytes]:
    return _NAME.findall(text.encode())


def _with_positions(path: str, pieces: Sequence[_FilePiece]) -> bytes:
    """Return the lines of all pieces with their numbers, columns and files in the sources."""
    out: list[bytes] = []
    file, line = path, 1
    for piece, here in pieces:
        texts = piece.exact() if isinstance(piece, Lines) else iter((piece.text,))
        for text, number in zip(texts, piece.lines, strict=True):
            if here != file:
                out += _jump(number, b' "%s"' % here.encode())
            elif line <= number <= line + _FEW_LINES or not out:  # nothing may come before #version
                out.extend([b""] * (number - line))
            else:
                out += _jump(number, b"")
            out.append(text)
            file, line = here, number + 1
    return b"\n".join((*out, b""))


def _jump(number: int, file: bytes) -> tuple[bytes, ...]:
    # The compiler moves the line after a directive by a column, so an empty one is put there; it knows no line 0.
    return (b"#line %d%s" % (number - 1, file), b"") if number > 1 else (b"#line 1" + file,)
