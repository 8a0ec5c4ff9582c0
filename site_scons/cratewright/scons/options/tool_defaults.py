"""What SCons's own tools have set in a new Environment, to distinguish it from what its user sets.

Every Environment with crates needs it, even if there is nothing to do, so this module imports nothing of the package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import SCons.Environment

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

TOOL_PROGRAMS = "_CRATE_TOOL_PROGRAMS"
"""The construction variable with the programs that SCons's own tools found."""

_PROGRAMS = ("CC", "CXX")
# SCons's own tools set these, whether or not the user chose them.
_DEFAULT_PROGRAMS = frozenset({"gcc", "g++", "cc", "c++", "clang", "clang++"})
TOOL_DEFAULTS = "_CRATE_TOOL_DEFAULTS"
"""The construction variable with the initial values of others, as text."""

EMPTY = frozenset(
    """
    CPPPATH CPPDEFINES CPPFLAGS CCFLAGS CFLAGS CXXFLAGS ASFLAGS LINKFLAGS LIBS LIBPATH RPATH FRAMEWORKS
    FRAMEWORKPATH SHLIBVERSION SOVERSION
    """.split()  # noqa: SIM905 - a list would take a line for each
)
"""Variables that SCons leaves empty."""
WITH_DEFAULT = frozenset(
    """
    CC CXX SHCC SHCXX AS AR RANLIB LINK SHLINK LDMODULE ASPPFLAGS ARFLAGS RANLIBFLAGS SHCCFLAGS SHCFLAGS
    SHCXXFLAGS SHLINKFLAGS LDMODULEFLAGS CCCOM CXXCOM SHCCCOM SHCXXCOM ASCOM ASPPCOM ARCOM LINKCOM
    SHLINKCOM LDMODULECOM OBJPREFIX OBJSUFFIX SHOBJPREFIX SHOBJSUFFIX PROGPREFIX PROGSUFFIX LIBPREFIX
    LIBSUFFIX SHLIBPREFIX SHLIBSUFFIX LDMODULEPREFIX LDMODULESUFFIX LDMODULEVERSION _CPPDEFFLAGS
    _CPPINCFLAGS _LIBDIRFLAGS _LIBFLAGS CPPDEFPREFIX CPPDEFSUFFIX INCPREFIX INCSUFFIX LIBDIRPREFIX
    LIBDIRSUFFIX LIBLINKPREFIX LIBLINKSUFFIX RPATHPREFIX RPATHSUFFIX
    """.split()  # noqa: SIM905 - a list would take a line for each
)
"""Variables that SCons's tools set."""
_SUFFIXES = ("PATH", "DEFINES", "FLAGS")


def tool_programs(env: Environment) -> dict[str, object]:
    """Return the programs that SCons's tools have chosen, for an Environment under construction."""
    given = _given_names(env)
    return {name: env[name] for name in _PROGRAMS if name not in given and str(env.get(name)) in _DEFAULT_PROGRAMS}


def _given_names(env: Environment) -> frozenset[str]:
    """Return the variables that the user has passed to the Environment under construction, which tools cannot tell."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code is SCons.Environment.Base.__init__.__code__ and frame.f_locals.get("self") is env:
            return frozenset(frame.f_locals.get("kw") or ())
        frame = frame.f_back
    return frozenset()


def initial_values(env: Environment) -> Mapping[str, str | None]:
    """Return what SCons's tools have set in an Environment under construction; None for what its user has passed."""
    given = _given_names(env)
    values = env.Dictionary()
    names = (name for name in values if name in WITH_DEFAULT or (name.endswith(_SUFFIXES) and name not in EMPTY))
    return {name: None if name in given else str(values[name]) for name in names}


def has_value(value: object) -> bool:
    """Return whether a variable has a value that means anything."""
    return value is not None and (not hasattr(value, "__len__") or len(value) > 0)
