"""How SCons installs the links that a crate has beside its files.

Every Environment with crates gets it, even if there is nothing to do: the rest is imported when a link is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import SCons.Tool.install

if TYPE_CHECKING:
    from SCons.Environment import Base as Environment

Install = Callable[[str, str, Any], Any]
# SCons's own tool sets them when something is installed for the first time, unless they are set.
_INSTALLERS = {
    "INSTALL": SCons.Tool.install.copyFunc,
    "INSTALLVERSIONEDLIB": SCons.Tool.install.copyFuncVersionedLib,
}


def install_links(env: Environment) -> None:
    """Have `env.Install` and `env.InstallVersionedLib` install a link as one, if its target is installed beside it."""
    for name, default in _INSTALLERS.items():
        install = env.get(name, default)
        if not isinstance(install, _LinkInstaller):
            env[name] = _LinkInstaller(install)


class _LinkInstaller:
    """Installs links of crates as links, and everything else as the Environment's installer does."""

    def __init__(self, install: Install) -> None:
        self._install = install

    def __call__(self, dest: str, source: str, env: Environment) -> Any:
        if os.path.islink(dest):  # a copy would be written to its target
            with suppress(OSError):
                os.unlink(dest)
        if os.path.islink(source):
            from .links import link_again  # noqa: PLC0415

            if link_again(dest, source, env):
                return 0
        return self._install(dest, source, env)
