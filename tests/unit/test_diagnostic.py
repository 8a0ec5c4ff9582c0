"""Diagnostics parsed from compiler output.

No compiler runs here: the texts are output of gcc 12 and clang 19.
"""

from __future__ import annotations

from cratewright.base.diagnostic import Diagnostic, RelatedPlace, Severity, read_diagnostics
from cratewright.base.errors import SourceError, error_diagnostics

CLANG = """\
In file included from a.cpp:1:
./t.h:1:45: error: member reference base type 'int' is not a structure or union
    1 | template <class T> int size(T t) { return t.size(); }
      |                                           ~^~~~~
a.cpp:2:21: note: in instantiation of function template specialization 'size<int>' requested here
    2 | int main() { return size(3); }
      |                     ^
a.cpp:3:5: warning: unused variable 'x' [-Wunused-variable]
    3 | int x;
      |     ^
1 warning and 1 error generated.
"""
GCC = """\
t.h: In instantiation of 'int size(T) [with T = int]':
a.cpp:2:25:   required from here
t.h:1:45: error: request for member 'size' in 't', which is of non-class type 'int'
    1 | template <class T> int size(T t) { return t.size(); }
      |                                           ~~^~~~
"""


def test_parse_clang_output() -> None:
    error, warning = read_diagnostics(CLANG)
    assert (error.severity, error.place) == (Severity.ERROR, "t.h:1:45")
    assert error.related == (
        RelatedPlace("included from here", "a.cpp", 1),
        RelatedPlace("in instantiation of function template specialization 'size<int>' requested here", "a.cpp", 2, 21),
    )
    assert error.rendered.startswith("In file included from a.cpp:1:\n./t.h:1:45: error: ")
    assert error.rendered.endswith("                     ^")
    assert (warning.code, warning.text) == ("-Wunused-variable", "unused variable 'x'")
    assert str(warning).count("\n") == 3
    assert warning.headline == "a.cpp:3:5: warning: unused variable 'x' [-Wunused-variable]"


def test_parse_gcc_output() -> None:
    (error,) = read_diagnostics(GCC)
    assert error.related == (RelatedPlace("required from here", "a.cpp", 2, 25),)
    assert str(error) == GCC.rstrip("\n")
    assert error.place == "t.h:1:45"


def test_all_lines_but_the_summary_are_kept() -> None:
    assert "\n".join(map(str, read_diagnostics(CLANG))) == CLANG.rstrip()
    # The count of warnings is dropped.
    warned = "a.c:1:2: warning: unused\n1 warning generated.\n"
    assert [str(item) for item in read_diagnostics(warned)] == ["a.c:1:2: warning: unused"]


def test_headline_without_source_lines() -> None:
    (found,) = read_diagnostics("C:\\a b\\x.comp:4: error: 'y' : undeclared identifier")
    assert found == Diagnostic(Severity.ERROR, "'y' : undeclared identifier", "C:\\a b\\x.comp", 4)
    assert str(found) == found.headline == "C:\\a b\\x.comp:4: error: 'y' : undeclared identifier"
    assert read_diagnostics("ld: cannot find -lfoo") == ()
    assert read_diagnostics("") == ()


def test_diagnostics_of_our_own_errors() -> None:
    (found,) = error_diagnostics(SourceError.at("a.comp", 4, "wrong", context=(("crate", "sky"),), hint="mend it"))
    assert (found.file, found.line, found.text) == ("a.comp", 4, "wrong")
    assert str(found) == "a.comp:4: error: wrong\n  crate: sky\n  hint:  mend it"
    (found,) = error_diagnostics(SourceError("no such source", hint="mend it"))
    assert str(found) == "no such source\n  hint: mend it"
    assert (found.severity, found.file) == (Severity.ERROR, "")


def test_terminal_escapes_are_escaped() -> None:
    assert "\x1b" not in str(Diagnostic(Severity.ERROR, "a\x1b[31m", "b.c", 1))
    assert "\x1b" not in str(Diagnostic(Severity.ERROR, "a", "b.c", 1, rendered="b.c:1: error: a\x1b[31m"))
