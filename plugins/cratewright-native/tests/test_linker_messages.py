"""Parsing of linker messages. The texts are those of GNU ld 2.40 and of lld 19, which zig uses."""

from __future__ import annotations

import pytest

from cratewright import LinkModule, ModuleCodegen, RelatedPlace, Severity, Symbol
from cratewright_native.linking.link_errors import with_source_names
from cratewright_native.linking.linker_messages import first_error, linker_warnings, undefined_symbols

GNU = """\
/usr/bin/ld: a.o: in function `main':
src/a.c:5: warning: the use of `tmpnam' is dangerous, better use `mkstemp'
/usr/bin/ld: src/a.c:6: undefined reference to `foo'
/usr/bin/ld: b.c:(.text+0x22): undefined reference to `bar(int, char const*)'
/usr/bin/ld: src/a.c:7: undefined reference to `foo'
/usr/bin/ld: warning: b.o: missing .note.GNU-stack section implies executable stack
collect2: error: ld returned 1 exit status
"""
LLD = """\
ld.lld-19: error: undefined symbol: foo(int, char const*)
>>> referenced by a.c:6 (src/a.c:6)
>>>               a.o:(main)
>>> referenced by b.c:7
>>>               b.o:(main)

ld.lld-19: error: undefined hidden symbol: bar
>>> referenced by c.c
>>>               c.o:(main)
ld.lld-19: warning: c.o: something odd
>>> defined in c.o
clang-19: error: linker command failed with exit code 1 (use -v to see invocation)
"""


def test_undefined_symbols() -> None:
    assert undefined_symbols(GNU) == {
        "foo": (RelatedPlace("used here", "src/a.c", 6), RelatedPlace("used here", "src/a.c", 7)),
        "bar(int, char const*)": (),
    }
    assert undefined_symbols(LLD) == {
        "foo(int, char const*)": (RelatedPlace("used here", "src/a.c", 6), RelatedPlace("used here", "b.c", 7)),
        "bar": (),
    }
    assert undefined_symbols("ld: cannot find -lfoo: No such file or directory") == {}


def test_odd_file_names() -> None:
    output = "ld.lld: error: undefined symbol: f\n>>> referenced by ä (1).c:3 (./sp ace/ä (1).c:3)\n>>>   a.o:(main)\n"
    assert undefined_symbols(output) == {"f": (RelatedPlace("used here", "sp ace/ä (1).c", 3),)}
    output = "/usr/bin/ld: a.ä (1).c.o: in function `main':\n./sp ace/ü:2 (1).c:3: undefined reference to `f'\n"
    assert undefined_symbols(output) == {"f": (RelatedPlace("used here", "sp ace/ü:2 (1).c", 3),)}
    # gcc's LTO does not know the file of some code.
    assert undefined_symbols("<artificial>:3: undefined reference to `f'\n") == {"f": ()}


@pytest.mark.parametrize(
    ("output", "place", "text"),
    [
        ("ld.lld-19: error: v.map:1: ; expected, but got foo\n>>> { foo\n", "v.map:1", "; expected, but got foo"),
        ("/usr/bin/ld:v.map:1: syntax error in VERSION script\n", "v.map:1", "syntax error in VERSION script"),
        (
            "a: a.c: in function `main':\n././a.c:2:(.text.main+0x24): failed to convert GOTPCREL against 'b'\n",
            "a.c:2",
            "failed to convert GOTPCREL against 'b'",
        ),
        (
            "ld.lld-19: error: a: a.c:(function f: .text+0x2c): relocation out of range: 21 is not in [-2, 1]\n"
            ">>> referenced by a.c:2 (./src/a.c:2)\n",
            "src/a.c:2",
            "relocation out of range: 21 is not in [-2, 1]",
        ),
        ("ld.lld: error: unable to find library -lno\n", "", "unable to find library -lno"),
        ("/usr/bin/ld: cannot find -lno: No such file\ncollect2: error: ld returned 1 exit status\n", "",
         "cannot find -lno: No such file"),
        (
            "/usr/bin/ld:libx.a: file format not recognized; treating as linker script\n"
            "/usr/bin/ld:libx.a:1: syntax error\n",
            "libx.a:1",
            "syntax error",
        ),
    ],
)  # fmt: skip
def test_first_error(output: str, place: str, text: str) -> None:
    found = first_error(output)
    assert found is not None and (found.place, found.text) == (place, text)


def test_warnings() -> None:
    dangerous, stack = linker_warnings(GNU)
    assert (dangerous.place, dangerous.severity) == ("src/a.c:5", Severity.WARNING)
    assert dangerous.text.startswith("the use of `tmpnam'") and dangerous.rendered.count("\n") == 1
    assert (stack.place, stack.text) == ("", "b.o: missing .note.GNU-stack section implies executable stack")
    (odd,) = linker_warnings(LLD)
    assert odd.text == "c.o: something odd" and odd.rendered.endswith(">>> defined in c.o")


def test_temporary_names_become_crates_and_sources() -> None:

    def module(crate: str, name: str, file: str) -> LinkModule:
        return LinkModule(crate, ModuleCodegen(name=name, data=b"", exports=(Symbol("f", "f", file),) if file else ()))

    files = {
        "a.a.c.o": module("a", "a.c.bc", "a.c"),
        "a.a.c-2.o": module("a", "a.c.bc", "sub/a.c"),
        "b.ä (1).c.o": module("b", "ä (1).c.bc", "ä (1).c"),
        "a.merged.o": module("a", "merged", ""),
        "0.o": module("c", "c.c.o", ""),
    }
    output = (
        ">>> a.a.c-2.o:(f) a.a.c.o: ./a.a.c.o x.a.a.c.o a.a.c.obj\n>>> b.ä (1).c.o:(f) in archive deps.a\n"
        "deps.a(b.ä (1).c.o): in function `f':\n(a.merged.o) 0.o 10.o"
    )
    assert with_source_names(output, files, "deps.a") == (
        ">>> a: sub/a.c:(f) a: a.c: a: a.c x.a.a.c.o a.a.c.obj\n>>> b: ä (1).c:(f)\n"
        "b: ä (1).c: in function `f':\n(a: merged) c: c.c 10.o"
    )
