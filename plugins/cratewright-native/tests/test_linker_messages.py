"""What linkers say is read. The texts were printed by GNU ld 2.40 and by lld 19, which zig's are the words of."""

from __future__ import annotations

from cratewright import RelatedPlace, Severity
from cratewright_native.linker_messages import linker_warnings, undefined_symbols

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


def test_symbols_that_nobody_defines() -> None:
    assert undefined_symbols(GNU) == {
        "foo": (RelatedPlace("used here", "src/a.c", 6), RelatedPlace("used here", "src/a.c", 7)),
        "bar(int, char const*)": (),
    }
    assert undefined_symbols(LLD) == {
        "foo(int, char const*)": (RelatedPlace("used here", "src/a.c", 6), RelatedPlace("used here", "b.c", 7)),
        "bar": (),
    }
    assert undefined_symbols("ld: cannot find -lfoo: No such file or directory") == {}


def test_files_of_gcc_are_the_projects() -> None:
    said = "/usr/bin/ld: app.merged.o: in function `f':\n/proc/self/cwd/util.c:1: undefined reference to `missing'\n"
    assert undefined_symbols(said) == {"missing": (RelatedPlace("used here", "util.c", 1),)}


def test_warnings() -> None:
    dangerous, stack = linker_warnings(GNU)
    assert (dangerous.place, dangerous.severity) == ("src/a.c:5", Severity.WARNING)
    assert dangerous.text.startswith("the use of `tmpnam'") and dangerous.rendered.count("\n") == 1
    assert (stack.place, stack.text) == ("", "b.o: missing .note.GNU-stack section implies executable stack")
    (odd,) = linker_warnings(LLD)
    assert odd.text == "c.o: something odd" and odd.rendered.endswith(">>> defined in c.o")
