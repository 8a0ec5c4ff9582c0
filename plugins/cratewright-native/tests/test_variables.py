"""What SCons's variables say of a crate as a whole."""

from __future__ import annotations

import pytest

from cratewright import ConfigurationError
from cratewright_native.arguments.variables import read_variables


@pytest.mark.parametrize(
    ("c", "cxx", "option"),
    [("-O2", "-O0", "opt_level"), ("-g", "-g0", "debuginfo"), ("-fPIC", "-fno-pic", "pic")],
)
def test_languages_that_differ(c: str, cxx: str, option: str) -> None:
    """The last word would count for sources that it is not for."""
    with pytest.raises(ConfigurationError, match=f"^CFLAGS and CXXFLAGS differ in '{option}'"):
        read_variables({"cflags": (c,), "cxxflags": ("-Wall", cxx)})
    assert read_variables({"cflags": (c,), "cxxflags": (cxx,), "flags": (c,)})[option]
    alike = read_variables({"cflags": (cxx, c), "cxxflags": (c,)})
    assert alike[option] == read_variables({"flags": (c,)})[option]
