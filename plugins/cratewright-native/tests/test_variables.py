"""SCons variables that set options of a whole crate."""

from __future__ import annotations

import pytest

from cratewright import ConfigurationError
from cratewright_native.arguments.variables import read_variables


@pytest.mark.parametrize(
    ("c", "cxx", "option"),
    [("-O2", "-O0", "opt_level"), ("-g", "-g0", "debuginfo"), ("-fPIC", "-fno-pic", "pic")],
)
def test_cflags_and_cxxflags_must_agree(c: str, cxx: str, option: str) -> None:
    """Otherwise the last flag would also apply to sources of the other language."""
    with pytest.raises(ConfigurationError, match=f"^CFLAGS and CXXFLAGS differ in '{option}'"):
        read_variables({"cflags": (c,), "cxxflags": ("-Wall", cxx)})
    assert read_variables({"cflags": (c,), "cxxflags": (cxx,), "flags": (c,)})[option]
    alike = read_variables({"cflags": (cxx, c), "cxxflags": (c,)})
    assert alike[option] == read_variables({"flags": (c,)})[option]
