"""File names, links and sonames of dynamic libraries, and names that are refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from cratewright import ConfigurationError, Crate, CrateType
from cratewright_native.linking.soname import check_soname, file_links, file_name, soname
from tests.support.native_link import link, request_for
from tests.support.native_project import TARGET, Project, options

NAMES = [
    ({}, "libfoo.so", {}),
    ({"version": "0.0.0"}, "libfoo.so", {}),
    ({"version": "1.2.3"}, "libfoo.so.1.2.3", {"libfoo.so": "libfoo.so.1", "libfoo.so.1": "libfoo.so.1.2.3"}),
    ({"version": "3"}, "libfoo.so.3", {"libfoo.so": "libfoo.so.3"}),
    ({"soversion": "7"}, "libfoo.so.7", {"libfoo.so": "libfoo.so.7"}),
    (
        {"version": "1.2", "soversion": "1.2-x"},
        "libfoo.so.1.2",
        {"libfoo.so": "libfoo.so.1.2-x", "libfoo.so.1.2-x": "libfoo.so.1.2"},
    ),
    ({"version": "1.2", "soversion": "1.2"}, "libfoo.so.1.2", {"libfoo.so": "libfoo.so.1.2"}),
]
REFUSED = [
    ({"version": "1.0-beta"}, "version '1.0-beta'"),
    ({"version": "v1"}, "version 'v1'"),
    ({"version": "1."}, "version '1.'"),
    ({"version": "\u0661"}, "version .\u0661."),
    ({"version": "1\n"}, r"version '1\\n'"),
    ({"soversion": "1/2"}, "soversion '1/2'"),
    ({"soversion": "a,-z"}, "soversion 'a,-z'"),
    ({"version": "1", "ldflags": ["-Wl,-soname,x"]}, "both set the soname"),
    ({"soversion": "1", "ldflags": ["-Wl,-h,libfoo.so.1"]}, "both set the soname"),
    ({"ldflags": ["-Xlinker", "--soname=other.so"]}, "no file has the name other.so"),
]


@pytest.mark.parametrize(("given", "file", "links"), NAMES)
def test_library_names(given: dict[str, object], file: str, links: dict[str, str]) -> None:
    what = ("foo", CrateType.CDYLIB, TARGET, options(**given))
    assert (file_name(*what), file_links(*what)) == (file, links)
    assert soname(*what) == links.get("libfoo.so", "libfoo.so")


def test_other_crate_types_have_no_version_in_their_names() -> None:
    for kind, name in ((CrateType.BIN, "foo"), (CrateType.STATICLIB, "libfoo.a")):
        what = ("foo", kind, TARGET, options(version="1.2.3", soversion="4"))
        assert (file_name(*what), file_links(*what)) == (name, {})


def _crate(given: dict[str, object], *types: CrateType) -> Crate:
    return Crate(
        name="foo",
        version="",
        backend="native",
        target=TARGET,
        profile="dev",
        crate_types=types,
        sources=(),
        dependencies=(),
        options=options(**given),
    )


@pytest.mark.parametrize(("given", "reason"), REFUSED)
def test_refused_names(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=f"crate 'foo': .*{reason}"):
        check_soname(_crate(given, CrateType.RLIB, CrateType.DYLIB))
    check_soname(_crate(given, CrateType.RLIB, CrateType.BIN, CrateType.STATICLIB))


def test_cdylib_may_set_its_soname() -> None:
    check_soname(_crate({"ldflags": ["-Wl,-soname,plugin"]}, CrateType.CDYLIB))


def test_linked_library_has_its_soname(project: Project) -> None:
    request = request_for(project, {"foo": {"foo.c": "int foo(void) { return 7; }\n"}}, CrateType.CDYLIB, version="1.2")
    made = link(project, replace(request, exported=("foo",)))
    shown = subprocess.run(["readelf", "-dW", made], capture_output=True, text=True, check=True).stdout
    assert made.name == "libfoo.so.1.2"
    assert "[libfoo.so.1]" in shown
