"""Random sources that include files in many ways, and random edits of the files and directories searched."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

__all__ = ["Lookups"]

NAMES = ("v.h", "sub/v.h", "w.h", "../v.h")
PLACES = ("src", "one", "two", "src/sub", "one/sub", "two/sub", "quoted", "after", ".")
_ASK = """
#define ASKED{i} {name}
#define TEXT{i}(x) #x
#define NAMED{i}(x) TEXT{i}(x)
{ask}
int asked_{i} = 1;
#else
int asked_{i} = 0;
#endif
"""
_ASKS = (
    '#if __has_include("{bare}")',
    "#if __has_include(<{bare}>)",
    "#if __has_include(ASKED{i})",
    '#define HAS{i}(x) __has_include(x)\n#if HAS{i}("{bare}")',
    "#define HAS{i}(x) __has_include(x)\n#if HAS{i}(<{bare}>)",
    "#define HAS{i}(x) __has_include(x)\n#if HAS{i}(NAMED{i}({bare}))",
    "#define WORD{i} __has_include\n#if defined(WORD{i}) && WORD{i} ( /* c */ <{bare}>)",
    '%:define WORD{i} __has_in\\\nclude\n#if WORD{i}("{bare}")',
    "#define WORD{i} __has_include\n#define ANSWER{i} WORD{i}(<{bare}>)\n#if ANSWER{i}",
    '#define WORD{i} __has_include\n#define ANSWER{i} WORD{i}("{bare}")\n#if ANSWER{i}',
    "#define WORD{i} __has_include\n#define CALL{i}(f, x) f(x)\n#if CALL{i}(WORD{i}, <{bare}>)",
    '#if 1 && __has_include \\\n ("{bare}")',
    '#if /* why */ __has_include /* so */ ( "{bare}" )',
    '%:if __has_in\\\nclude("{bare}")',
    '#if !defined NOBODY\n#define LATE{i} __has_include\n#endif\n#if LATE{i}("{bare}")',
)
_INCLUDES = (
    '#include "{bare}"',
    "#include <{bare}>",
    "#include NAME{i}",
    '# include /* c */ "{bare}" // d',
    '#inc\\\nlude "{bare}"',
    '%:include "{bare}"',
    '/* c\n */ # /*\n*/ include "{bare}"',
    "#define QUOTE{i}(x) #x\n#define TWICE{i}(x) QUOTE{i}(x)\n#include TWICE{i}({bare})",
    '#if 1\n#include \\\n"{bare}"\n#endif',
)
_ASSEMBLY = (
    '.include "{bare}"',
    '.incbin "{bare}"',
    '.INCBIN "{bare}"',
    '.macro m{i} f\n.incbin "\\f"\n.endm\nm{i} {bare}',
    '.irp x,{bare}\n.incbin "\\x"\n.endr',
    '#define B{i} .incbin\nB{i} "{bare}"',
    '.incbin \\\n "{bare}"',
    '.macro n{i} d\n.\\d "{bare}"\n.endm\nn{i} include',
)


class Lookups:
    """A project of one source, and its edits; the same for the same seed."""

    def __init__(self, root: Path, seed: int, suffix: str) -> None:
        self.random = random.Random(seed)
        self.root = root
        self.suffix = suffix
        self.words = self.random.choice(([], ["-iquote", "quoted"], ["-idirafter", "after"], ["-include", "w.h"]))
        if suffix == ".S":
            self.words = []
        self._build()

    @property
    def source(self) -> str:
        """The source's path."""
        return f"src/a{self.suffix}"

    def _build(self) -> None:
        for place in PLACES:
            (self.root / place).mkdir(parents=True, exist_ok=True)
        text = "".join(self._assembly(i) if self.suffix == ".S" else self._c(i) for i in range(3))
        tail = '.section .note.GNU-stack,"",%progbits\n' if self.suffix == ".S" else "int end;\n"
        (self.root / self.source).write_text(text + tail)
        # Every name exists somewhere, so that the source compiles.
        for name in ("v.h", "sub/v.h", "w.h"):
            self._put(f"two/{name}")
            if self.suffix == ".S" or self.words:
                self._put(name)

    def _c(self, i: int) -> str:
        bare = self.random.choice(NAMES[:3])
        include = self.random.choice(_INCLUDES).format(bare=bare, i=i)
        queried = self.random.choice(NAMES)
        ask = self.random.choice(_ASKS).format(bare=queried, i=i)
        head = f'#define NAME{i} "{bare}"\n#define PLACE what_{i}\n'
        return head + include + "\n#undef PLACE\n" + _ASK.format(i=i, name=f'"{queried}"', ask=ask)

    def _assembly(self, i: int) -> str:
        return self.random.choice(_ASSEMBLY).format(bare=self.random.choice(NAMES[:3]), i=i) + "\n"

    def _put(self, path: str) -> None:
        number = self.random.randrange(1, 1 << 20)
        text = f"int PLACE = {number};\n" if self.suffix != ".S" else f".byte {number % 250}\n"
        if self.suffix == ".S" and self.random.random() < 0.3:
            inner = self.random.choice(("deep.bin", "sub/deep.bin"))
            self._put_bytes(inner)
            text += f'.incbin "{inner}"\n'
        elif self.random.random() < 0.3:
            text = text.replace("PLACE", "__attribute__((unused)) PLACE")
        file = self.root / path
        self._clear(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _put_bytes(self, path: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.random.randbytes(3))

    def _clear(self, file: Path) -> None:
        if file.is_symlink() or file.is_file():
            file.unlink()
        elif file.is_dir():
            shutil.rmtree(file)

    def edit(self) -> str:
        """Change something, and return a description."""
        name = self.random.choice(NAMES[:3])
        path = f"{self.random.choice(PLACES)}/{name}"
        file = self.root / path
        kind = self.random.choice(("put", "put", "put", "drop", "link", "directory", "places", "bytes"))
        if kind == "put":
            self._put(path)
        elif kind == "drop":
            self._clear(file)
        elif kind == "link":
            self._clear(file)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(self.root / self.random.choice(PLACES) / name)
        elif kind == "directory":
            self._clear(file)
            file.mkdir(parents=True)
        elif kind == "places":
            place = self.root / self.random.choice(("quoted", "after", "one/sub", "src/sub"))
            if place.exists():
                shutil.rmtree(place)
            else:
                place.mkdir(parents=True)
        else:
            self._put_bytes(self.random.choice(("deep.bin", "sub/deep.bin")))
        return f"{kind} {path}"
